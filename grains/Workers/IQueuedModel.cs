using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Batching;

namespace Cluster.Grains.Workers;

/// <summary>What a <see cref="ReplicaQueue"/> needs of the model behind it.</summary>
internal interface IQueuedModel
{
    string Name { get; }

    long Version { get; }

    /// <summary>Runs at once, at least 1.</summary>
    int Concurrency { get; }

    /// <summary>How requests run together; off for good once an output has other rows than its inputs.</summary>
    BatchingSettings Batching { get; }

    /// <summary>Priorities of requests, at least 1.</summary>
    int Levels { get; }

    /// <summary>The queue's view of a request, where it has batches or priorities. The run of a wrong request reports the mistake.</summary>
    RequestFacts Read(PayloadBuffer message);

    /// <summary>Answers <paramref name="message"/> on the calling thread; the caller owns the answer.</summary>
    /// <param name="alone">Whether nothing else runs on the silo.</param>
    /// <exception cref="ServingException">The request is wrong, the model failed, or the caller gave up.</exception>
    PayloadBuffer Run(PayloadBuffer message, bool alone, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken);

    /// <summary>Runs together what fits together. Items that it leaves without an answer are to run by themselves.</summary>
    /// <param name="alone">Whether nothing else runs on the silo.</param>
    void RunBatch(IReadOnlyList<BatchItem> items, bool alone, ReplicaMetrics metrics, Action<BatchRun> executed);

    /// <summary>Has the runs that have taken so long end as soon as they can, unanswered. Returns at once.</summary>
    /// <param name="of">Only the run of this request by itself; null for all.</param>
    void EndRuns(TimeSpan longerThan, PayloadBuffer? of);
}
