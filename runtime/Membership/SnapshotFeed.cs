using System.Runtime.CompilerServices;

namespace Cluster.Runtime;

/// <summary>The latest snapshot, and its changes for any number of readers. A slow reader misses some, never the last.</summary>
internal sealed class SnapshotFeed(ClusterMembershipSnapshot first) : IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private State _state = new(first);

    public ClusterMembershipSnapshot Current => Volatile.Read(ref _state).Snapshot;

    /// <summary>Called by one thread at a time.</summary>
    public void Publish(ClusterMembershipSnapshot snapshot)
    {
        var before = _state;
        Volatile.Write(ref _state, new State(snapshot));
        before.Replaced.SetResult();
    }

    /// <summary>Completes once the snapshot is at least at that version.</summary>
    public async ValueTask WaitAsync(MembershipVersion version, CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref _state) is var state && state.Snapshot.Version < version)
        {
            await state.Replaced.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async IAsyncEnumerable<ClusterMembershipSnapshot> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        while (true)
        {
            var state = Volatile.Read(ref _state);
            yield return state.Snapshot;
            await state.Replaced.Task.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (_ended.IsCancellationRequested)
            {
                yield break;
            }
        }
    }

    public void Dispose() => _ended.Cancel();

    private sealed class State(ClusterMembershipSnapshot snapshot)
    {
        public ClusterMembershipSnapshot Snapshot { get; } = snapshot;

        public TaskCompletionSource Replaced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
