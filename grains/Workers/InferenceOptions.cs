namespace Cluster.Grains.Workers;

/// <summary>How a silo runs inference.</summary>
public sealed class InferenceOptions
{
    /// <summary>
    /// Threads that run models, 1 to 4096; 0, the default, takes four a processor and at least 8. Fewer let a slow model hold up the
    /// others, more make runs share processors.
    /// </summary>
    public int Threads { get; set; }

    /// <summary>
    /// Requests that may wait in front of one copy where the model does not say, 0 to 1,000,000. Default 1000. More means longer waits under
    /// overload and more memory held by waiting requests, fewer means earlier refusals.
    /// </summary>
    public int QueueLimit { get; set; } = 1000;

    /// <summary>Every mistake in the options, empty if there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (Threads is < 0 or > 4096)
        {
            yield return $"inference threads must be 0 to 4096, got {Threads}";
        }

        if (QueueLimit is < 0 or > 1_000_000)
        {
            yield return $"queue limit must be 0 to 1000000, got {QueueLimit}";
        }
    }
}
