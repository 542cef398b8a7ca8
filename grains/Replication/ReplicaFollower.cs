using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>
/// Keeps a replica up to date: takes the messages of the store, and asks for what they have not brought. That is everything at the start and after a restart of the
/// store, and what changed since where some were missed. What it has lost then is sent to it.
/// </summary>
internal sealed class ReplicaFollower(
    string map, ReplicaTable table, RedisReplicaStore store, ReplicationOptions options, ReplicationMetrics metrics, TimeProvider time, ILogger logger)
{
    private readonly WakeUp _wake = new(time);
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _subscribed;

    /// <summary>Completes when the replica is complete for the first time.</summary>
    public Task Loaded => _loaded.Task;

    /// <summary>Something may have been missed: look now.</summary>
    public void CatchUp() => _wake.Set();

    /// <param name="putBack">Called with the keys of entries that the store has lost.</param>
    public async Task RunAsync(Action<IReadOnlyList<string>> putBack, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var done = false;
            try
            {
                _subscribed = _subscribed || await store.TrySubscribeAsync(Receive, stop).ConfigureAwait(false);
                done = await CatchUpAsync(putBack, stop).ConfigureAwait(false) && _subscribed;
                table.Expire(options.RemovalExpiration);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The boundary of a loop's turn.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.ReplicationLoopFailed(logger, map, "catch-up", exception);
            }

            if (done)
            {
                _loaded.TrySetResult();
            }

            await _wake.WaitAsync(done ? options.CatchUpInterval : options.RetryInterval, stop).ConfigureAwait(false);
        }
    }

    private void Receive(StoreMessage message)
    {
        if (!table.Take(message))
        {
            _wake.Set();
        }
    }

    private async Task<bool> CatchUpAsync(Action<IReadOnlyList<string>> putBack, CancellationToken cancellationToken)
    {
        if (table.Life is not { } life)
        {
            return await LoadAsync(putBack, cancellationToken).ConfigureAwait(false);
        }

        while (true)
        {
            var since = table.Change;
            if (await store.ReadPageAsync(since, cancellationToken).ConfigureAwait(false) is not { } page)
            {
                return false;
            }

            if (page.Life != life || since < page.Purged)
            {
                return await LoadAsync(putBack, cancellationToken).ConfigureAwait(false);
            }

            metrics.CaughtUp(map, table.Take(page, follows: true));
            if (page.IsLast)
            {
                return true;
            }
        }
    }

    private async Task<bool> LoadAsync(Action<IReadOnlyList<string>> putBack, CancellationToken cancellationToken)
    {
        var begin = time.GetTimestamp();
        var before = table.Life;
        table.BeginLoad();
        string? life = null;
        var since = 0L;
        bool last;
        do
        {
            if (await store.ReadPageAsync(since, cancellationToken).ConfigureAwait(false) is not { } page || page.Life != (life ??= page.Life))
            {
                return false;
            }

            table.Take(page, follows: false);
            since = page.Reached;
            last = page.IsLast;
        }
        while (!last);

        var missing = table.EndLoad(life, since);
        if (before is not null && before != life)
        {
            metrics.PutBack(map, missing.Count);
            Log.ReplicaPutsBack(logger, map, missing.Count, table.Count);
        }
        else
        {
            Log.ReplicaLoaded(logger, map, table.Count, time.GetElapsedTime(begin));
        }

        putBack(missing);
        return true;
    }
}
