namespace Cluster.Runtime;

/// <summary>A clock that is read for every request and therefore only moves at each beat of the runtime.</summary>
internal sealed class CoarseClock(TimeProvider time)
{
    private long _now = time.GetTimestamp();

    /// <summary>Time-provider timestamp at the last beat.</summary>
    public long Now => Volatile.Read(ref _now);

    public void Beat() => Volatile.Write(ref _now, time.GetTimestamp());

    public long After(TimeSpan span) => Now + (long)(span.TotalSeconds * time.TimestampFrequency);

    public TimeSpan Elapsed(long since) => time.GetElapsedTime(since, Now);
}
