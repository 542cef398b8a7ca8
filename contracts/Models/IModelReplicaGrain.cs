using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Contracts.Models;

/// <summary>
/// One replica of one model version: an inference session with its concurrency limit, queue and statistics. The key is a
/// <see cref="ModelReplicaId"/>, which says where it is. Only a command of its model loads it, and only once. A call to a replica that is not loaded says so at once.
/// </summary>
[Alias("model-replica")]
public interface IModelReplicaGrain : IGrainWithStringKey
{
    /// <summary>Runs a request. Refusals and failures come back as values; <c>Moved</c> where the replica is not loaded.</summary>
    [ResponseTimeout("01:00:00"), Alias("infer")]
    ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Loads the replica, waiting for room on its silo; at once where it is loaded. A cancelled load, or one that <see cref="UnloadAsync"/> ends, ends at
    /// ONNX Runtime's next step.
    /// </summary>
    [ResponseTimeout("01:00:00"), Alias("ensure-loaded")]
    ValueTask<ReplicaLoad> EnsureLoadedAsync(ReplicaSpec spec, CancellationToken cancellationToken);

    /// <summary>The loaded model. Null where none is loaded.</summary>
    [Alias("describe")]
    ValueTask<ModelDescription?> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>The replica's figures since its load. Null where it is not loaded.</summary>
    [Alias("statistics")]
    ValueTask<ReplicaStatistics?> GetStatisticsAsync(CancellationToken cancellationToken);

    /// <summary>Ends the replica once the requests that it has taken are answered, or its load. Returns at once.</summary>
    [Alias("unload")]
    ValueTask UnloadAsync();
}

/// <summary>The end of a replica's load. One of the two is set.</summary>
/// <param name="Description">The loaded model.</param>
/// <param name="Failure">Why the load failed. <c>Moved</c>, <c>Full</c> and <c>LoadFailed</c> leave it to another silo.</param>
[GenerateSerializer, Immutable, Alias("replica-load")]
public sealed record ReplicaLoad([property: Id(0)] ModelDescription? Description, [property: Id(1)] Failure? Failure);

/// <summary>The content and settings that a replica loads.</summary>
[GenerateSerializer, Immutable, Alias("replica-spec")]
public sealed record ReplicaSpec(
    [property: Id(0)] ModelVersionSource Source,
    [property: Id(1)] ModelSettings Settings,
    [property: Id(2)] VersionPolicy VersionPolicy);

/// <summary>A loaded replica of this process. Safe from any thread.</summary>
public interface IReplica
{
    /// <summary>Whether a request would run at once.</summary>
    bool HasRoom { get; }

    /// <inheritdoc cref="IModelReplicaGrain.InferAsync"/>
    ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken);
}

/// <summary>The loaded replicas of this process, to be called without a message. Safe from any thread.</summary>
public interface ILocalReplicas
{
    /// <summary>Whether a silo is this process.</summary>
    bool IsHere(SiloAddress silo);

    bool TryGet(ModelReplicaId id, [NotNullWhen(true)] out IReplica? replica);
}
