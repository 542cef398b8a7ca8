using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Placement;

/// <summary>How wide the choice of a silo is. Defaults are ModelMesh's. Where its comments and its code differ, those of the comments.</summary>
[Section("Placement")]
public sealed class PlacementOptions
{
    /// <summary>Share of the best silo's free bytes that another needs to be as good, 0 to 1. Default 0.5. Lower spreads more, higher fills evenly.</summary>
    [Range(0.0, 1.0)]
    public double FreeShare { get; set; } = 0.5;

    /// <summary>A silo is as good with this many times the best one's replicas, at least 1. Default 1.5.</summary>
    [Range(1.0, 1000.0)]
    public double CopiesFactor { get; set; } = 1.5;

    /// <summary>Up to this many replicas <see cref="CopiesFactor"/> does not count, at least 0. Default 10.</summary>
    [Range(0, 1_000_000)]
    public int FewCopies { get; set; } = 10;

    /// <summary>With all silos full, one whose oldest entry is younger by no more than this is as good. Default 45 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan IdleSlack { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>The same as a share of the best one's age, 0 to 1; the larger of the two counts. Default 0.1.</summary>
    [Range(0.0, 1.0)]
    public double IdleSlackShare { get; set; } = 0.1;

    /// <summary>With all silos full, a preferred one is chosen even if its oldest entry is younger by this. Default 120 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan PreferredSlack { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>The same as a share of the best one's age, 0 to 1; the larger of the two counts. Default 0.25.</summary>
    [Range(0.0, 1.0)]
    public double PreferredSlackShare { get; set; } = 0.25;

    /// <summary>Requests a minute below which a silo is never too busy, at least 0. Default 100.</summary>
    [Range(0.0, 1_000_000_000.0)]
    public double QuietRequestsPerMinute { get; set; } = 100;

    /// <summary>A replica for more utilization avoids silos with this many times the requests of the quietest, at least 1. Default 1.1.</summary>
    [Range(1.0, 1000.0)]
    public double BusyFactor { get; set; } = 1.1;
}
