namespace Cluster.Contracts.Metrics;

/// <summary>What a measurement does to its series.</summary>
internal enum ValueMode
{
    /// <summary>A change: counters and up-down counters.</summary>
    Add,

    /// <summary>The number as it is: gauges.</summary>
    Set,

    /// <summary>The number as a collection round found it: observable instruments.</summary>
    Observe,
}
