namespace Cluster.Grains.Workers;

/// <summary>How long the runs of a replica take: what waits are estimated by, and whether a run is short enough for its caller's thread. Guarded by its queue's lock.</summary>
internal sealed class RunPace
{
    /// <summary>What a request costs beside its run; no request is free.</summary>
    public const double LeastCost = 1000;

    /// <summary>Weight of the newest run in the mean; a sixteenth follows load changes within some tens of runs.</summary>
    private const double MeanWeight = 1.0 / 16;

    /// <summary>Runs that take less than this on average stay on their caller's thread: to wake another one and to come back costs about as much.</summary>
    private const double ShortRunNanoseconds = 25_000;

    /// <summary>A request of more bytes may take longer than the others did.</summary>
    private const int ShortRunBytes = 16 * 1024;

    /// <summary>A run of this length must not hold its caller's thread again soon, however short the others are.</summary>
    private const double LongRunNanoseconds = 10_000_000;

    /// <summary>Runs after a long one that go to inference threads.</summary>
    private const int RunsAfterLong = 1000;

    private double _meanNanoseconds;
    private int _notHere;

    /// <summary>Zero before the first run.</summary>
    public TimeSpan Mean => TimeSpan.FromMicroseconds(_meanNanoseconds / 1000);

    /// <summary>Of a run, nanoseconds, at least <see cref="LeastCost"/>.</summary>
    public double MeanCost => Math.Max(_meanNanoseconds, LeastCost);

    /// <summary>Notes a run's end.</summary>
    /// <param name="runNanoseconds">Of the run, null where it failed.</param>
    /// <param name="took">Nanoseconds of the run, also of one that failed.</param>
    public void Ran(long? runNanoseconds, long took)
    {
        _notHere = took >= LongRunNanoseconds ? RunsAfterLong : Math.Max(0, _notHere - 1);
        if (runNanoseconds is { } run)
        {
            _meanNanoseconds = _meanNanoseconds == 0 ? run : _meanNanoseconds + ((run - _meanNanoseconds) * MeanWeight);
        }
    }

    /// <summary>Whether the run of a request of so many bytes is likely a short one.</summary>
    public bool IsShort(int bytes) => _notHere == 0 && _meanNanoseconds is > 0 and < ShortRunNanoseconds && bytes <= ShortRunBytes;
}
