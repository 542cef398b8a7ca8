using Cluster.Contracts.Models;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Placement;

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
