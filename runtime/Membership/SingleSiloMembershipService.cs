using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Cluster.Runtime;

/// <summary>The membership of a cluster of one silo: it is active, and alone.</summary>
internal sealed class SingleSiloMembershipService : IClusterMembershipService, IDisposable
{
    private readonly CancellationTokenSource _stopped = new();

    public SingleSiloMembershipService(ILocalSiloDetails local)
    {
        var self = new ClusterMember(local.SiloAddress, SiloStatus.Active, local.Name);
        CurrentSnapshot = new ClusterMembershipSnapshot(
            ImmutableDictionary<SiloAddress, ClusterMember>.Empty.Add(local.SiloAddress, self), new MembershipVersion(1));
    }

    public ClusterMembershipSnapshot CurrentSnapshot { get; }

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => ReadUpdatesAsync(default);

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

    public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);

    public void Dispose() => _stopped.Cancel();

    private async IAsyncEnumerable<ClusterMembershipSnapshot> ReadUpdatesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return CurrentSnapshot;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopped.Token);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = either.Token.Register(end.SetResult);
        await end.Task.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
