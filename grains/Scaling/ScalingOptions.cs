using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Scaling;

/// <summary>When a model gets more replicas, and fewer. Defaults are ModelMesh's.</summary>
[Section("Scaling")]
public sealed class ScalingOptions : IValidatableObject
{
    /// <summary>Requests a minute of one replica above which another is wanted, where its capacity was not measured. Default 2000.</summary>
    [Range(1.0, 1_000_000_000.0)]
    public double RequestsPerMinute { get; set; } = 2000;

    /// <summary>Share of its measured capacity (concurrency ÷ mean run time) that a replica may be used to before another is wanted, 0.1 to 2. Default 0.9.</summary>
    [Range(0.1, 2.0)]
    public double CapacityShare { get; set; } = 0.9;

    /// <summary>Runs after which a mean run time is believed, at least 1. Default 64.</summary>
    [Range(1, 1_000_000)]
    public int MinSamples { get; set; } = 64;

    /// <summary>
    /// A second replica comes when a model that is used now was used this long ago too. Default 7 min. Shorter doubles models that are used only in passing.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan SecondCopyMinAge { get; set; } = TimeSpan.FromMinutes(7);

    /// <summary>A use longer ago than this does not count. Default 40 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan SecondCopyMaxAge { get; set; } = TimeSpan.FromMinutes(40);

    /// <summary>Free share of all silos' capacity that a second replica needs, 0 to 1. Default 0.1.</summary>
    [Range(0.0, 1.0)]
    public double SecondCopyFreeShare { get; set; } = 0.1;

    /// <summary>Without that free share, the longest unused replica must have been unused this long. Default 20 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan SecondCopyOldestIdle { get; set; } = TimeSpan.FromHours(20);

    /// <summary>Time between two additions, so that a replica shows its effect first. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan AddInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Share of the silos that one decision may add replicas on, 0 to 1. Two are always allowed. Default 1/3.</summary>
    [Range(0.0, 1.0)]
    public double MaxAddedShare { get; set; } = 1.0 / 3;

    /// <summary>Free share of all silos' capacity above which no replica is taken away, as its memory is not needed. Default 0.05.</summary>
    [Range(0.0, 1.0)]
    public double RemoveFreeShare { get; set; } = 0.05;

    /// <summary>
    /// Most utilization of the remaining replicas, as a share of that which adds one, 0 to 1. Default 2/3. The gap to 1 keeps replicas from coming and going.
    /// </summary>
    [Range(0.0, 1.0)]
    public double RemoveLoadShare { get; set; } = 2.0 / 3;

    /// <summary>Time between two removals. Default 80 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan RemoveInterval { get; set; } = TimeSpan.FromSeconds(80);

    /// <summary>Time after the latest load of a replica before one is taken away. Default 30 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan RemoveAfterLoad { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>The second replica goes when both were unused for this share of the age of the longest unused replica of all models, 0 to 1. Default 0.1.</summary>
    [Range(0.0, 1.0)]
    public double SecondCopyIdleShare { get; set; } = 0.1;

    /// <summary>The second replica goes after this at the latest. Default 10 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan SecondCopyMaxIdle { get; set; } = TimeSpan.FromHours(10);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (SecondCopyMinAge > SecondCopyMaxAge)
        {
            yield return new ValidationResult($"no more than SecondCopyMaxAge, {SecondCopyMaxAge:c}", [nameof(SecondCopyMinAge), nameof(SecondCopyMaxAge)]);
        }
    }
}
