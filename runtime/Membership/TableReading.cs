using System.Collections.Immutable;

namespace Cluster.Runtime;

/// <summary>What was read at once from the table: rows, when each silo last said that it is alive, and the table's clock.</summary>
internal sealed record TableReading(MembershipView View, ImmutableDictionary<SiloAddress, DateTimeOffset> LastAlive, DateTimeOffset Now)
{
    /// <summary>True if the silo has said within <paramref name="age"/> that it is alive.</summary>
    public bool IsFresh(SiloAddress silo, TimeSpan age) => LastAlive.TryGetValue(silo, out var at) && Now - at <= age;
}
