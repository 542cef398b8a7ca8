namespace Cluster.Runtime;

/// <summary>
/// Whether this process runs smoothly. One whose own timer comes late, because it was suspended or is starved of processor time,
/// misses answers that are there, and doubts itself for a while instead of suspecting others.
/// </summary>
internal sealed class SelfHealth(TimeProvider time, TimeSpan interval, TimeSpan tolerance)
{
    private long? _lastTick;
    private long _lateAt;

    /// <summary>How long a late timer is remembered: what was asked before may be answered meanwhile.</summary>
    public TimeSpan Doubt { get; } = 2 * tolerance;

    public bool IsInDoubt => Volatile.Read(ref _lateAt) is var at && at != 0 && time.GetElapsedTime(at) < Doubt;

    /// <summary>Called at each beat of the timer; returns how late it is if that is too late.</summary>
    public TimeSpan? Tick()
    {
        var now = time.GetTimestamp();
        var lag = _lastTick is { } last ? time.GetElapsedTime(last, now) - interval : TimeSpan.Zero;
        _lastTick = now;
        if (lag <= tolerance)
        {
            return null;
        }

        Volatile.Write(ref _lateAt, now);
        return lag;
    }
}
