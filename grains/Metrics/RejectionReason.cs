namespace Cluster.Grains.Metrics;

/// <summary>Why a replica did not run a request that it was given.</summary>
internal enum RejectionReason
{
    /// <summary>As many requests waited as may wait.</summary>
    QueueFull,

    /// <summary>The deadline passed in the queue, or could not be met.</summary>
    Deadline,

    /// <summary>The caller gave up.</summary>
    Cancelled,
}
