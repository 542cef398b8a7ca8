using System.Collections.Immutable;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Cluster;

namespace Cluster.Unit.Serving;

/// <summary>A controller on another silo.</summary>
internal sealed class FakeController : IControllerGrain
{
    /// <summary>What it says it has handed over; null while it has not read its repository.</summary>
    public ImmutableDictionary<string, string>? HandedOver { get; set; }

    public ValueTask<ImmutableDictionary<string, string>?> GetFingerprintsAsync() => ValueTask.FromResult(HandedOver);

    public ValueTask<NodeDescription> DrainAsync(string silo, bool drains) => throw new NotSupportedException("no silo is drained here");

    public ValueTask LeaveAsync() => throw new NotSupportedException("it is not asked to leave here");

    public ValueTask MembershipChangedAsync(MembershipVersion version, CancellationToken cancellationToken) => throw new NotSupportedException("no membership changes here");

    public ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken) => throw new NotSupportedException("it reads no repository");

    public ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) => throw new NotSupportedException("it reads no repository");
}
