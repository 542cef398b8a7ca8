using Cluster.Contracts.Errors;

namespace Cluster.Grains.Workers;

/// <summary>What a replica's queue answers to those that it does not take.</summary>
internal static class QueueRefusals
{
    private static readonly TimeSpan ShortestHint = TimeSpan.FromMilliseconds(1);

    /// <summary>A queue is another one by then: callers leave, replicas come, and waits are reckoned by runs of the past.</summary>
    private static readonly TimeSpan LongestHint = TimeSpan.FromMinutes(1);

    public static Failure Unloading(IQueuedModel model) => Failure.Moved($"model '{model.Name}' version {model.Version} is being unloaded here");

    public static Failure Full(IQueuedModel model, int waiting, int limit, TimeSpan wait) =>
        Failure.Exhausted($"model '{model.Name}' version {model.Version} has its queue full: {waiting} requests wait, the limit is {limit}", HintOf(wait));

    public static Failure FullOfBytes(IQueuedModel model, long waiting, int added, long limit, TimeSpan wait) => Failure.Exhausted(
        $"model '{model.Name}' version {model.Version} has its queue full: {waiting} bytes of requests wait and this one has {added}, the limit is {limit} bytes",
        HintOf(wait));

    public static Failure TooLong(IQueuedModel model, TimeSpan wait, TimeSpan limit) => Failure.Exhausted(
        $"model '{model.Name}' version {model.Version} would start this request in about {wait.TotalMilliseconds:F0} ms, the limit is {limit.TotalMilliseconds:F0} ms",
        HintOf(wait - limit));

    public static Failure TooLate(IQueuedModel model, TimeSpan timeout, TimeSpan wait, TimeSpan run) => Failure.DeadlineExceeded(
        $"the deadline in {timeout.TotalMilliseconds:F0} ms cannot be met: model '{model.Name}' version {model.Version} " +
        $"would start this request in about {wait.TotalMilliseconds:F0} ms and run for {run.TotalMilliseconds:F0} ms");

    private static TimeSpan HintOf(TimeSpan wait) => wait < ShortestHint ? ShortestHint : wait > LongestHint ? LongestHint : wait;
}
