using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>
/// Tells of changes in their order, one at a time, without a lock held. The thread that adds a change tells it if none does.
/// </summary>
internal sealed class ChangeFeed(string map, ILogger logger)
{
    /// <summary>A publisher tells its own change and a few of others; a flood of them is the thread pool's.</summary>
    private const int MaxInline = 16;

    private readonly Lock _lock = new();
    private readonly Queue<(string Key, TaskCompletionSource? Told)> _keys = new();
    private bool _telling;

    public event Action<string>? Changed;

    /// <summary>Adds a change. Called in the order of changes, under the lock of the changed map. Calls no listener.</summary>
    public void Add(string key)
    {
        // Who begins to listen now reads the map afterwards, and finds the change there.
        Interlocked.MemoryBarrier();
        if (Changed is null)
        {
            return;
        }

        lock (_lock)
        {
            _keys.Enqueue((key, null));
        }
    }

    /// <summary>Completes when listeners have got all changes that were added before.</summary>
    public Task WhenToldAsync()
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _keys.Enqueue(("", told));
        }

        Tell(here: false);
        return told.Task;
    }

    /// <summary>Sends added changes to listeners, on this thread or on another. Never called under a lock.</summary>
    public void Tell(bool here)
    {
        lock (_lock)
        {
            if (_telling || _keys.Count == 0)
            {
                return;
            }

            _telling = true;
        }

        if (!here || !TellSome(MaxInline))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static feed => feed.TellSome(int.MaxValue), this, preferLocal: false);
        }
    }

    private bool TellSome(int most)
    {
        for (var told = 0; told < most; told++)
        {
            if (!TryNext(out var next))
            {
                return true;
            }

            if (next.Told is { } waiter)
            {
                waiter.SetResult();
                continue;
            }

            foreach (var listener in Delegate.EnumerateInvocationList(Changed))
            {
                Tell(listener, next.Key);
            }
        }

        return false;
    }

    private void Tell(Action<string> listener, string key)
    {
        try
        {
            listener(key);
        }
#pragma warning disable CA1031 // The boundary of one listener's turn.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.ReplicaListenerFailed(logger, map, key, exception);
        }
    }

    private bool TryNext(out (string Key, TaskCompletionSource? Told) next)
    {
        lock (_lock)
        {
            _telling = _keys.TryDequeue(out next);
            return _telling;
        }
    }
}
