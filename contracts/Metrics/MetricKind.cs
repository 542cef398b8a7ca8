namespace Cluster.Contracts.Metrics;

/// <summary>What a family's numbers mean; the <c>TYPE</c> of the exposition format.</summary>
public enum MetricKind
{
    /// <summary>Only grows, until its series is removed.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts by upper bound, with sum and count.</summary>
    Histogram,
}
