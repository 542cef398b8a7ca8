using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Inference;

namespace Cluster.Contracts.Models;

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
