using System.Collections.Immutable;

namespace Cluster.Unit.Grains;

/// <summary>A membership that the test sets.</summary>
internal sealed class FakeMembership : IClusterMembershipService
{
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } = new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new MembershipVersion(1));

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => ReadAsync();

    public void Set(SiloAddress silo, SiloStatus status)
    {
        CurrentSnapshot = new ClusterMembershipSnapshot(
            CurrentSnapshot.Members.SetItem(silo, new ClusterMember(silo, status, silo.ToString())), new MembershipVersion(CurrentSnapshot.Version.Value + 1));
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

    public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);

    private async IAsyncEnumerable<ClusterMembershipSnapshot> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var changed = _changed.Task;
            yield return CurrentSnapshot;
            await changed.WaitAsync(cancellationToken);
        }
    }
}
