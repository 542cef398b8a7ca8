using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>
/// Sends what this process has and the store may not, in order and of each key only the newest, until the store has it. What the store
/// refuses, because it has a newer entry, is replaced by that.
/// </summary>
internal sealed class ReplicaSender(
    string map, ReplicaTable table, RedisReplicaStore store, Action lifeChanged, TimeSpan retry, TimeProvider time, ILogger logger)
{
    private const int MaxEntries = 200;
    private const int MaxBytes = 512 * 1024;
    private readonly PendingKeys _pending = new();
    private readonly WakeUp _wake = new(time);
    private TaskCompletionSource _turn = NewTurn();

    public int Pending => _pending.Count;

    public void Add(string key)
    {
        _pending.Add(key);
        _wake.Set();
    }

    public void Add(IReadOnlyList<string> keys)
    {
        foreach (var key in keys)
        {
            _pending.Add(key);
        }

        _wake.Set();
    }

    /// <summary>Returns when nothing is pending or the time is over.</summary>
    public Task WhenAllSentAsync(TimeSpan limit, CancellationToken cancellationToken) => WaitAsync(() => Pending == 0, limit, cancellationToken);

    /// <summary>Returns when the store has what this process has of a key, or the time is over.</summary>
    public Task WhenSentAsync(string key, TimeSpan limit, CancellationToken cancellationToken) =>
        WaitAsync(() => !table.TryFind(key, out var entry) || (entry.Life is { } life && life == table.Life), limit, cancellationToken);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var sent = true;
            try
            {
                sent = await SendAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The boundary of a loop's turn.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.ReplicationLoopFailed(logger, map, "send", exception);
                sent = false;
            }

            Interlocked.Exchange(ref _turn, NewTurn()).TrySetResult();
            if (!sent)
            {
                await Task.Delay(retry, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            else if (Pending == 0)
            {
                await _wake.WaitAsync(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
            }
        }
    }

    private static TaskCompletionSource NewTurn() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task WaitAsync(Func<bool> isSo, TimeSpan limit, CancellationToken cancellationToken)
    {
        var begin = time.GetTimestamp();

        // Taken before the look, so that no turn after it is missed.
        for (var turn = Volatile.Read(ref _turn).Task; !isSo() && !cancellationToken.IsCancellationRequested; turn = Volatile.Read(ref _turn).Task)
        {
            var left = limit - time.GetElapsedTime(begin);
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            await turn.WaitAsync(left, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> SendAsync(CancellationToken cancellationToken)
    {
        var batch = TakeBatch();
        IReadOnlyList<string> unsent = [.. batch.Select(static entry => entry.Key)];
        try
        {
            if (batch.Count == 0)
            {
                return true;
            }

            if (await store.PublishAsync(batch, cancellationToken).ConfigureAwait(false) is not { } done)
            {
                return false;
            }

            unsent = [];
            Settle(batch, done.Life, done.Answers);
            return true;
        }
        finally
        {
            _pending.EndTaking(unsent);
        }
    }

    private List<ReplicatedEntry> TakeBatch()
    {
        var batch = new List<ReplicatedEntry>();
        for (var bytes = 0; batch.Count < MaxEntries && bytes < MaxBytes && _pending.TryTake(out var key);)
        {
            // Others may have put it back meanwhile.
            if (table.TryFind(key, out var entry) && (entry.Life is null || entry.Life != table.Life))
            {
                batch.Add(entry);
                bytes += entry.Key.Length + entry.Content.Length;
            }
        }

        return batch;
    }

    private void Settle(List<ReplicatedEntry> batch, string life, IReadOnlyList<StoreAnswer> answers)
    {
        for (var i = 0; i < answers.Count; i++)
        {
            if (answers[i].Stored is { } stored)
            {
                table.Take(stored, life);
                Log.PublishOvertaken(logger, stored.Key, map);
            }
            else
            {
                table.Sent(batch[i], life);
            }
        }

        if (life != table.Life)
        {
            lifeChanged();
        }
    }
}

/// <summary>Keys that are to be sent, each once, in the order in which they were added first.</summary>
internal sealed class PendingKeys
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _order = [];
    private int _taken;

    /// <summary>Those that are being sent included.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _order.Count + _taken;
            }
        }
    }

    public void Add(string key)
    {
        lock (_lock)
        {
            if (_known.Add(key))
            {
                _order.AddLast(key);
            }
        }
    }

    /// <summary>Takes the first key, before its entry is looked at: a key that is added from then on is sent again.</summary>
    public bool TryTake([NotNullWhen(true)] out string? key)
    {
        lock (_lock)
        {
            key = _order.First?.Value;
            if (key is null)
            {
                return false;
            }

            _order.RemoveFirst();
            _known.Remove(key);
            _taken++;
            return true;
        }
    }

    /// <summary>Ends what <see cref="TryTake"/> began.</summary>
    /// <param name="unsent">Those of the taken keys that are to be sent again, before all others.</param>
    public void EndTaking(IReadOnlyList<string> unsent)
    {
        lock (_lock)
        {
            _taken = 0;
            for (var i = unsent.Count - 1; i >= 0; i--)
            {
                if (_known.Add(unsent[i]))
                {
                    _order.AddFirst(unsent[i]);
                }
            }
        }
    }
}

/// <summary>What one loop waits for and others set. Setting it twice wakes once.</summary>
internal sealed class WakeUp(TimeProvider time)
{
    private TaskCompletionSource _set = New();

    public void Set() => Volatile.Read(ref _set).TrySetResult();

    /// <summary>Returns when it is set, when the time is over, or when cancelled.</summary>
    public async Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var waiting = Volatile.Read(ref _set);
        await waiting.Task.WaitAsync(limit, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (waiting.Task.IsCompleted)
        {
            Volatile.Write(ref _set, New());
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
