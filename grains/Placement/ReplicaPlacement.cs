using Cluster.Contracts.Models;
using Orleans.GrainDirectory;

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

/// <summary>The grain directory of replicas: it stores nothing and agrees with the key. Where a silo is lost, its replicas are nowhere.</summary>
internal sealed class ReplicaDirectory(IClusterMembershipService membership) : IGrainDirectory
{
    public const string Name = "replicas";

    /// <summary>The silo that the key names; null while it is no member, as nothing is there.</summary>
    public Task<GrainAddress?> Lookup(GrainId grainId)
    {
        var snapshot = membership.CurrentSnapshot;
        return Task.FromResult(ModelReplicaId.TryParse(grainId.Key.ToString()!, out var id) && snapshot.GetSiloStatus(id.Silo) is SiloStatus.Active or SiloStatus.ShuttingDown
            ? new GrainAddress { GrainId = grainId, SiloAddress = id.Silo, MembershipVersion = snapshot.Version }
            : null);
    }

    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(address);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Register(address);

    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;
}
