using System.Diagnostics;

namespace Cluster.Bench.Measurement;

/// <summary>What one worker reports to. Not shared between workers, so nothing on the measured path is contended.</summary>
internal sealed class LoadRecorder(LoadWindow window)
{
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

    public void Fail(string what)
    {
        Failures++;
        FirstFailure ??= what;
    }
}
