using System.Diagnostics.CodeAnalysis;

namespace Cluster.Contracts.Models;

/// <summary>The loaded replicas of this process, to be called without a message. Safe from any thread.</summary>
public interface ILocalReplicas
{
    /// <summary>Whether a silo is this process.</summary>
    bool IsHere(SiloAddress silo);

    bool TryGet(ModelReplicaId id, [NotNullWhen(true)] out IReplica? replica);
}
