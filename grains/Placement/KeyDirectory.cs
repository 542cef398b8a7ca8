using Cluster.Contracts.Models;
using Microsoft.Extensions.DependencyInjection;
using Orleans.GrainDirectory;
using Orleans.Runtime.Hosting;

namespace Cluster.Grains.Placement;

/// <summary>The grain directory of grains whose key names their silo: it stores nothing and agrees with the key. Where a silo is lost, its grains are nowhere.</summary>
/// <param name="siloOf">The silo that a key names; null for a key that names none.</param>
internal sealed class KeyDirectory(IClusterMembershipService membership, Func<string, SiloAddress?> siloOf) : IGrainDirectory
{
    /// <summary>Of replicas: <c>name/version/number@silo</c>.</summary>
    public const string Replicas = "replicas";

    /// <summary>Of grains that speak for a silo, see <see cref="SiloPlacement"/>.</summary>
    public const string Silos = "silos";

    /// <summary>Both, and the placement of such grains: every process that calls one needs them.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddPlacementDirector<ReplicaPlacement, ReplicaPlacementDirector>();
        services.AddPlacementDirector<SiloPlacement, SiloPlacementDirector>();
        Add(services, Replicas, static key => ModelReplicaId.TryParse(key, out var id) ? id.Silo : null);
        Add(services, Silos, SiloAddress.FromParsableString);
    }

    /// <summary>The silo that the key names; null while it is no member, as nothing is there.</summary>
    public Task<GrainAddress?> Lookup(GrainId grainId)
    {
        var snapshot = membership.CurrentSnapshot;
        return Task.FromResult(siloOf(grainId.Key.ToString()!) is { } silo && snapshot.GetSiloStatus(silo) is SiloStatus.Active or SiloStatus.ShuttingDown
            ? new GrainAddress { GrainId = grainId, SiloAddress = silo, MembershipVersion = snapshot.Version }
            : null);
    }

    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(address);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Register(address);

    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;

    private static void Add(IServiceCollection services, string name, Func<string, SiloAddress?> siloOf) =>
        services.AddGrainDirectory(name, (provider, _) => new KeyDirectory(provider.GetRequiredService<IClusterMembershipService>(), siloOf));
}

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
