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
