namespace Cluster.Silo.Transport;

/// <summary>
/// Notices that a wait takes too long. Made for many short waits, one at a time: a wait costs a clock reading, and the timer runs only while there are waits.
/// </summary>
internal sealed class StallWatch : IDisposable
{
    private const long Idle = long.MinValue;

    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;
    private readonly Action _stalled;
    private readonly ITimer _timer;
    private long _since = Idle;
    private int _armed;

    /// <param name="stalled">Called from a timer.</param>
    public StallWatch(TimeProvider time, TimeSpan limit, Action stalled)
    {
        _time = time;
        _limit = limit;
        _stalled = stalled;
        _timer = time.CreateTimer(static watch => ((StallWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Begin()
    {
        Interlocked.Exchange(ref _since, _time.GetTimestamp());
        if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(_limit, Timeout.InfiniteTimeSpan);
        }
    }

    public void End() => Volatile.Write(ref _since, Idle);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // Before the look: a wait that begins after it arms the timer again.
        Volatile.Write(ref _armed, 0);
        Interlocked.MemoryBarrier();
        var since = Volatile.Read(ref _since);
        if (since == Idle)
        {
            return;
        }

        var left = _limit - _time.GetElapsedTime(since);
        if (left <= TimeSpan.Zero)
        {
            _stalled();
        }
        else if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(left, Timeout.InfiniteTimeSpan);
        }
    }
}
