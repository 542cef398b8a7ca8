using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>What a <see cref="ReplicaQueue"/> needs of the model behind it.</summary>
internal interface IQueuedModel
{
    string Name { get; }

    long Version { get; }

    /// <summary>Runs at once, at least 1.</summary>
    int Concurrency { get; }

    /// <summary>Answers <paramref name="message"/> on the calling inference thread, whose runner is lent; the caller owns the answer.</summary>
    /// <exception cref="ServingException">The request is wrong, the model failed, or the caller gave up.</exception>
    PayloadBuffer Run(SessionRunner runner, PayloadBuffer message, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken);
}
