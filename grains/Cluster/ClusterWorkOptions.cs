using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Cluster;

/// <summary>What silos do for the whole cluster. Defaults are ModelMesh's where it has such a setting.</summary>
[Section("ClusterWork")]
public sealed class ClusterWorkOptions : IValidatableObject
{
    /// <summary>How often a silo's replicas report their utilization, 1 s to 10 min. Default 10 s (ModelMesh: RATE_CHECK_INTERVAL).</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan LoadReportInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often an idle replica beside others reports, so that it can go. 1 s to 1 day. Default 6 min (ModelMesh: LOCAL_JANITOR_FREQ).</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan IdleReportInterval { get; set; } = TimeSpan.FromMinutes(6);

    /// <summary>
    /// A replica that its model no longer wants ends after this, 1 s to 1 h. Default 1 min. Shorter may end replicas that others are about to hear of.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan OrphanAge { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Models that a leaving silo has moved at once, 1 to 1000. Default 4. More leaves sooner and burdens the others more.</summary>
    [Range(1, 1000)]
    public int DrainConcurrency { get; set; } = 4;

    /// <summary>Share of the time to stop that the moving of replicas may take, 0.1 to 1. Default 0.8; the rest is for requests that still run.</summary>
    [Range(0.1, 1.0)]
    public double DrainShare { get; set; } = 0.8;

    /// <summary>The time to stop, 1 s to 1 h. Default 30 s, the host's own default; it should be what the host is given.</summary>
    [SetBy("Cluster:StopSeconds")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often models are loaded ahead of their next request, 1 s to 1 day. Default 7 min (ModelMesh: REGISTRY_REAPER_FREQ).</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LoadAheadInterval { get; set; } = TimeSpan.FromMinutes(7);

    /// <summary>How long after the first look, or after a silo has joined, loading ahead begins. 0 to 1 h. Default 2 s, so that the silo's state is known.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LoadAheadDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Share of the capacity that loading ahead leaves free, 0 to 1. Default 0.125 (ModelMesh: 12.5 %).</summary>
    [Range(0.0, 1.0)]
    public double Reserve { get; set; } = 0.125;

    /// <summary>Share of the free space above the reserve that one pass fills, 0 to 1. Default 0.5 (ModelMesh).</summary>
    [Range(0.0, 1.0)]
    public double LoadAheadShare { get; set; } = 0.5;

    /// <summary>Models loaded ahead at once, 1 to 1000. Default 4.</summary>
    [Range(1, 1000)]
    public int LoadAheadConcurrency { get; set; } = 4;

    /// <summary>Models told of lost silos at once, 1 to 10,000. Default 64.</summary>
    [Range(1, 10_000)]
    public int LossConcurrency { get; set; } = 64;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LoadReportInterval > IdleReportInterval)
        {
            yield return new ValidationResult($"no more than IdleReportInterval, {IdleReportInterval:c}", [nameof(LoadReportInterval), nameof(IdleReportInterval)]);
        }
    }
}
