namespace Cluster.Contracts.Models;

/// <summary>What a model is tuned for. The numbers travel: 0 was an earlier program's default, as it is this one's.</summary>
[GenerateSerializer, Alias("performance-hint")]
public enum PerformanceHint
{
    /// <summary>All cores for a request that is alone on its silo, one thread for each of several.</summary>
    Auto = 0,

    /// <summary>One request at once, on all cores.</summary>
    Latency = 1,

    /// <summary>One thread a request, as many requests at once as there are cores.</summary>
    Throughput = 2,
}
