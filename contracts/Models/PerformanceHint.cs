namespace Cluster.Contracts.Models;

/// <summary>What a model is tuned for.</summary>
[GenerateSerializer, Alias("performance-hint")]
public enum PerformanceHint
{
    /// <summary>One thread a request, as many requests at once as there are cores.</summary>
    Throughput,

    /// <summary>One request at once, on all cores.</summary>
    Latency,

    /// <summary>All cores for a request that is alone on its silo, one thread for each of several.</summary>
    Auto,
}
