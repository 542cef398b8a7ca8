namespace Cluster.Runtime;

/// <summary>How the replicas of a process are kept up to date.</summary>
public sealed class ReplicationOptions
{
    /// <summary>
    /// How often a process asks what it has missed, and how soon at the latest it puts back what Redis has lost. Default 5 s.
    /// Shorter asks more often, longer is out of date longer after a lost message.
    /// </summary>
    public TimeSpan CatchUpInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How soon whatever Redis did not answer is tried again. Default 100 ms.</summary>
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a removal is remembered. Default 1 h. Shorter lets a process that was cut off for longer bring back what was removed meanwhile;
    /// longer keeps more keys.
    /// </summary>
    public TimeSpan RemovalExpiration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long the start waits for a complete replica before it fails. Default 30 s.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the stop waits for what is not published yet. Default 2 s.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
