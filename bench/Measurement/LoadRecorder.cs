using System.Diagnostics;

namespace Cluster.Bench.Measurement;

/// <summary>What one worker reports to. Not shared between workers, so nothing on the measured path is contended.</summary>
internal sealed class LoadRecorder(LoadWindow window)
{
    /// <summary>A worker whose every request fails gives up rather than spin.</summary>
    private const int MaxFailures = 1000;

    private static readonly double NanosecondsATick = 1e9 / Stopwatch.Frequency;

    public LatencyHistogram Latencies { get; } = new();

    /// <summary>Failed requests, those of the warm-up included.</summary>
    public long Failures { get; private set; }

    public string? FirstFailure { get; private set; }

    /// <summary>Begin no further request.</summary>
    public bool Stopped => window.Stopped;

    /// <summary>A request that began at <paramref name="startTimestamp"/> was answered rightly just now.</summary>
    public void Complete(long startTimestamp)
    {
        if (window.Measuring)
        {
            Latencies.Record((long)((Stopwatch.GetTimestamp() - startTimestamp) * NanosecondsATick));
        }
    }

    /// <summary>Counts a failed request that leaves the worker able to send the next.</summary>
    /// <exception cref="InvalidDataException">The worker has failed too often to go on.</exception>
    public void Refused(string what)
    {
        if (Failures + 1 >= MaxFailures)
        {
            throw new InvalidDataException(what);
        }

        Fail(what);
    }

    /// <summary>Counts a failed request.</summary>
    public void Fail(string what)
    {
        Failures++;
        FirstFailure ??= what;
    }
}
