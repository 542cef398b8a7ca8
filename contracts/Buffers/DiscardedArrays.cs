namespace Cluster.Contracts.Buffers;

/// <summary>
/// Arrays too large to be kept, until the collector has had them. It would leave them, and their memory with the process, for long: so it is called once they are many. It stops
/// all threads. After each call they run nine times as long as it took before the next, though a flood of requests should bring on more. Safe from any thread.
/// </summary>
/// <param name="most">Bytes from which on it is called.</param>
/// <param name="collect">Calls it, and returns when it is done.</param>
internal sealed class DiscardedArrays(long most, TimeProvider time, Action collect)
{
    private const int RestPerPause = 9;

    private long _bytes;
    private long _next;
    private ITimer? _timer;

    /// <summary>1 while a call is under way, or waits for its time.</summary>
    private int _isDue;

    /// <summary>Bytes since the last call.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    public void Add(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) < most || Interlocked.Exchange(ref _isDue, 1) != 0)
        {
            return;
        }

        var wait = _next - time.GetTimestamp();
        if (wait <= 0)
        {
            Collect();
            return;
        }

        _timer ??= time.CreateTimer(static arrays => ((DiscardedArrays)arrays!).Collect(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(TimeSpan.FromSeconds((double)wait / time.TimestampFrequency), Timeout.InfiniteTimeSpan);
    }

    private void Collect()
    {
        // Before the collection: what is discarded meanwhile is for the next.
        Interlocked.Exchange(ref _bytes, 0);
        var start = time.GetTimestamp();
        collect();
        var end = time.GetTimestamp();
        _next = end + ((end - start) * RestPerPause);
        Volatile.Write(ref _isDue, 0);
    }
}
