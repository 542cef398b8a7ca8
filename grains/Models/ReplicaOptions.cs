using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Models;

/// <summary>How a model's replicas are kept over several silos. Defaults are ModelMesh's where it has such a setting.</summary>
[Section("Copies")]
public sealed class ReplicaOptions : IValidatableObject
{
    /// <summary>Silos that a content is tried on, 1 to 100, default 3 (ModelMesh: MAX_LOAD_FAILURES). More survives more broken silos, and loads broken content more often.</summary>
    [Range(1, 100)]
    public int MaxFailedSilos { get; set; } = 3;

    /// <summary>Calls for one load, refusals and lost silos included, before it is given up for now. 1 to 100, default 8 (ModelMesh: MAX_ITERATIONS).</summary>
    [Range(1, 100)]
    public int MaxLoadTries { get; set; } = 8;

    /// <summary>A use no longer ago counts as use now. Default 3 min (ModelMesh: the window of recent use).</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan InUse { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>Share of the failure memory that counts for models in use, 0 to 1. Default 0.5 (ModelMesh: 7.5 of 15 min).</summary>
    [Range(0.0, 1.0)]
    public double InUseFailureMemory { get; set; } = 0.5;

    /// <summary>Replicas used no longer ago than this are replaced when their silo goes, the others wait for their next request. Default 60 min (ModelMesh: CUTOFF_AGE).</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan UsedLately { get; set; } = TimeSpan.FromMinutes(60);

    /// <summary>How late the time of the last use may be kept, 1 s to 1 h. Default 5 min. Shorter writes more often, longer forgets more if the grain's silo dies.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan UseKeptEvery { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>After this without a report a replica counts as idle. Default 30 s, three reports.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan LoadReportLife { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long it is remembered that all slots of a replica were held by runs that do not end, 1 min to 30 days. Default 6 h. The third of a version within it is its quarantine; its
    /// next replicas are loaded on other silos where there are any. Longer quarantines for rarer cases.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan StuckMemory { get; set; } = TimeSpan.FromHours(6);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (InUse > UsedLately)
        {
            yield return new ValidationResult($"no more than UsedLately, {UsedLately:c}", [nameof(InUse), nameof(UsedLately)]);
        }
    }
}
