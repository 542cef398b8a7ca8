using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Contracts.Models;

/// <summary>
/// One replica of one model version: an inference session with its concurrency limit, queue and statistics. The key is a
/// <see cref="ModelReplicaId"/>, which says where it is. It is loaded by its model's command alone, and once: a call to one that is not loaded
/// says so at once.
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

    /// <summary>What was loaded; null where nothing is.</summary>
    [Alias("describe")]
    ValueTask<ModelDescription?> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>What the replica has done since it was loaded; null where it is not.</summary>
    [Alias("statistics")]
    ValueTask<ReplicaStatistics?> GetStatisticsAsync(CancellationToken cancellationToken);

    /// <summary>Ends the replica once the requests that it has taken are answered, or its load. Returns at once.</summary>
    [Alias("unload")]
    ValueTask UnloadAsync();
}

/// <summary>What became of a replica's load: one of the two is set.</summary>
/// <param name="Description">What was loaded.</param>
/// <param name="Failure">Why nothing was; <c>Moved</c>, <c>Full</c> and <c>LoadFailed</c> leave it to another silo.</param>
[GenerateSerializer, Immutable, Alias("replica-load")]
public sealed record ReplicaLoad([property: Id(0)] ModelDescription? Description, [property: Id(1)] Failure? Failure);

/// <summary>What a replica is to load.</summary>
[GenerateSerializer, Immutable, Alias("replica-spec")]
public sealed record ReplicaSpec(
    [property: Id(0)] ModelVersionSource Source,
    [property: Id(1)] ModelSettings Settings,
    [property: Id(2)] VersionPolicy VersionPolicy)
{
    /// <summary>In whose part of the silo's memory it counts.</summary>
    [Id(3)]
    public CallerShare Owner { get; init; }
}

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
