using System.Collections.Immutable;

namespace Cluster.Runtime;

/// <summary>The row of one silo. Times are the table's clock.</summary>
/// <param name="Since">When the status was last changed.</param>
/// <param name="Role">What the process is for, such as "silo".</param>
internal sealed record MembershipEntry(
    SiloAddress Silo,
    SiloStatus Status,
    string Name,
    string Role,
    ImmutableArray<string> Labels,
    DateTimeOffset Since,
    ImmutableArray<Suspicion> Suspicions)
{
    public bool IsDead => Status == SiloStatus.Dead;

    /// <summary>It has opened its ports and not closed them: others can expect answers.</summary>
    public bool IsServing => Status is SiloStatus.Active or SiloStatus.ShuttingDown;
}
