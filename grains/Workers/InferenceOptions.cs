using Cluster.Contracts.Options;

namespace Cluster.Grains.Workers;

/// <summary>How a silo runs inference.</summary>
public sealed class InferenceOptions
{
    /// <summary>
    /// Threads that run models, 1 to 4096; 0, the default, takes four a processor and at least 8. Fewer let a slow model hold up the
    /// others, more make runs share processors.
    /// </summary>
    [SetBy("Cluster:InferenceThreads")]
    public int Threads { get; set; }

    /// <summary>
    /// Requests that may wait in front of one replica where the model does not say, 0 to 1,000,000. Default 1000. More means longer waits under
    /// overload and more memory held by waiting requests, fewer means earlier refusals.
    /// </summary>
    [SetBy("Cluster:QueueLimit")]
    public int QueueLimit { get; set; } = 1000;

    /// <summary>
    /// Bytes of requests that may wait in front of one replica where the model does not say, up to a tebibyte. An empty queue takes one of any size. 0, the default, is
    /// half of what large messages may take on the silo. More lets one model's burst keep the others' large requests out, less refuses earlier.
    /// </summary>
    [SetBy("Cluster:QueueMiB")]
    public long QueueBytes { get; set; }

    /// <summary>
    /// Expected wait above which a request is refused at once where its model does not say, up to an hour. 0, the default, refuses none for it. A few run times keep answers
    /// timely under overload; closed loops of many callers want more.
    /// </summary>
    [SetBy("Cluster:QueueDelayMs")]
    public TimeSpan QueueDelay { get; set; }

    /// <summary>
    /// Time after which a run is to be ended, up to a day; four times the replica's longest answered run where that is more. Default 10 min, 0 never ends one. Less frees the
    /// slots of runs that hang sooner, and ends long runs that are in order.
    /// </summary>
    [SetBy("Cluster:StuckRunSeconds")]
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromMinutes(10);
}
