namespace Cluster.Grains.Cluster;

/// <summary>What silos do for the whole cluster. Defaults are ModelMesh's where it has the like.</summary>
public sealed class ClusterOptions
{
    /// <summary>How often a silo's copies report what they have to do, 1 s to 10 min. Default 10 s (ModelMesh: RATE_CHECK_INTERVAL).</summary>
    public TimeSpan LoadReportInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often an idle copy beside others reports, so that it can go; 1 s to 1 day. Default 6 min (ModelMesh: LOCAL_JANITOR_FREQ).</summary>
    public TimeSpan IdleReportInterval { get; set; } = TimeSpan.FromMinutes(6);

    /// <summary>A copy that nobody wants any more ends after this, 1 s to 1 h. Default 1 min. Shorter may end what others are about to hear of.</summary>
    public TimeSpan OrphanAge { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Models that a leaving silo has moved at once, 1 to 1000. Default 4. More leaves sooner and loads the others more.</summary>
    public int DrainConcurrency { get; set; } = 4;

    /// <summary>Share of the time to stop that the moving of copies may take, 0.1 to 1. Default 0.8; the rest is for requests that still run.</summary>
    public double DrainShare { get; set; } = 0.8;

    /// <summary>The time to stop, 1 s to 1 h. Default 30 s, the host's own default; it should be what the host is given.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often models are loaded ahead of their next request, 1 s to 1 day. Default 7 min (ModelMesh: REGISTRY_REAPER_FREQ).</summary>
    public TimeSpan LoadAheadInterval { get; set; } = TimeSpan.FromMinutes(7);

    /// <summary>How long after the first look, or after a silo has joined, that begins; 0 to 1 h. Default 20 s, so that the silo's state is known.</summary>
    public TimeSpan LoadAheadDelay { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Share of the capacity that loading ahead leaves free, 0 to 1. Default 0.125 (ModelMesh: 12.5 %).</summary>
    public double Reserve { get; set; } = 0.125;

    /// <summary>Share of the free space above the reserve that one pass fills, 0 to 1. Default 0.5 (ModelMesh).</summary>
    public double LoadAheadShare { get; set; } = 0.5;

    /// <summary>Models loaded ahead at once, 1 to 1000. Default 4.</summary>
    public int LoadAheadConcurrency { get; set; } = 4;

    /// <summary>Models told of lost silos at once, 1 to 10,000. Default 64.</summary>
    public int LossConcurrency { get; set; } = 64;

    /// <summary>Every mistake in the options, empty if there is none.</summary>
    public IEnumerable<string> Validate()
    {
        foreach (var (name, value) in new[]
        {
            ("load report interval", LoadReportInterval), ("idle report interval", IdleReportInterval), ("orphan age", OrphanAge),
            ("stop timeout", StopTimeout), ("load ahead interval", LoadAheadInterval),
        })
        {
            if (value < TimeSpan.FromSeconds(1) || value > TimeSpan.FromDays(1))
            {
                yield return $"{name} must be 1 s to 1 day, got {value}";
            }
        }

        if (LoadAheadDelay < TimeSpan.Zero || LoadAheadDelay > TimeSpan.FromHours(1))
        {
            yield return $"load ahead delay must be 0 to 1 h, got {LoadAheadDelay}";
        }

        foreach (var (name, value) in new[] { ("drain concurrency", DrainConcurrency), ("load ahead concurrency", LoadAheadConcurrency), ("loss concurrency", LossConcurrency) })
        {
            if (value is < 1 or > 10_000)
            {
                yield return $"{name} must be 1 to 10000, got {value}";
            }
        }

        foreach (var (name, value) in new[] { ("drain share", DrainShare), ("reserve", Reserve), ("load ahead share", LoadAheadShare) })
        {
            if (value is not (>= 0 and <= 1))
            {
                yield return $"{name} must be 0 to 1, got {value}";
            }
        }
    }
}
