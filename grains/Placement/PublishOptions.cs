using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Placement;

/// <summary>
/// When a silo publishes its state. With smaller steps others choose by newer states, at the cost of more writes. Defaults except the first two are ModelMesh's.
/// </summary>
[Section("Publish")]
public sealed class PublishOptions : IValidatableObject
{
    /// <summary>The state is published at least this often. Default 10 s (ModelMesh: 40 s), so that a stale state shows sooner.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "01:00:00")]
    public TimeSpan MaxInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The state is published not more often than this, except by a silo that begins to drain. Default 1 s (ModelMesh: 2 s).</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan MinInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Change of the capacity, as a share. Default 0.02.</summary>
    [Range(0.0, 1.0)]
    public double CapacityShare { get; set; } = 0.02;

    /// <summary>Change of the bytes used, as a share of them. Default 0.2.</summary>
    [Range(0.0, 1.0)]
    public double UsedShare { get; set; } = 0.2;

    /// <summary>Change of the number of replicas. Default 10; this or <see cref="CopiesShare"/>, what comes first.</summary>
    [Range(1, 1_000_000)]
    public int Copies { get; set; } = 10;

    /// <summary>Change of the number of replicas, as a share. Default 0.15.</summary>
    [Range(0.0, 1.0)]
    public double CopiesShare { get; set; } = 0.15;

    /// <summary>Change of the oldest entry's age beyond the time that passed. Default 20 s; this or <see cref="IdleShare"/>, what comes first.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan Idle { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Change of the oldest entry's age, as a share of it. Default 1/16.</summary>
    [Range(0.0, 1.0)]
    public double IdleShare { get; set; } = 1.0 / 16;

    /// <summary>Change of the number of loads. The first and the last one always count. Default 3.</summary>
    [Range(1, 1_000_000)]
    public int Loading { get; set; } = 3;

    /// <summary>Change of the requests a minute. Default 100; this or <see cref="RequestsShare"/>, what is more.</summary>
    [Range(0.0, 1_000_000_000.0)]
    public double Requests { get; set; } = 100;

    /// <summary>Change of the requests a minute, as a share. Default 0.1.</summary>
    [Range(0.0, 1.0)]
    public double RequestsShare { get; set; } = 0.1;

    /// <summary>Free share of the capacity below which a silo counts as full. A change from or to full always counts. Default 0.05.</summary>
    [Range(0.0, 1.0)]
    public double FullShare { get; set; } = 0.05;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MinInterval > MaxInterval)
        {
            yield return new ValidationResult($"no more than MaxInterval, {MaxInterval:c}", [nameof(MinInterval), nameof(MaxInterval)]);
        }
    }
}
