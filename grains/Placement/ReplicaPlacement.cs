using Cluster.Contracts.Models;

namespace Cluster.Grains.Placement;

/// <summary>Replicas of models: on the silo that their key names.</summary>
internal sealed class ReplicaPlacement : PlacementStrategy;

/// <summary>Grains of this class are replicas of models.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ReplicaPlacementAttribute() : PlacementAttribute(new ReplicaPlacement());

/// <summary>
/// Reads a replica's silo out of its key, also where that is no member any more: then the message is refused where it is sent. An exception here would be
/// retried for half a second.
/// </summary>
internal sealed class ReplicaPlacementDirector : IPlacementDirector
{
    /// <exception cref="ArgumentException">The key is none of a replica.</exception>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var key = target.GrainIdentity.Key.ToString()!;
        return ModelReplicaId.TryParse(key, out var id)
            ? Task.FromResult(id.Silo)
            : throw new ArgumentException($"'{key}' is no key of a replica, expected name/version/number@silo", nameof(target));
    }
}
