using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>Asks the director of a grain's strategy for a silo.</summary>
internal sealed class PlacementService(
    IServiceProvider services, GrainManifest manifest, IClusterMembershipService membership, ILocalSiloDetails local) : IPlacementContext
{
    private static readonly PlacementStrategy Default = new RandomPlacement();

    public SiloAddress LocalSilo => local.SiloAddress;

    public SiloStatus LocalSiloStatus => membership.CurrentSnapshot.GetSiloStatus(LocalSilo);

    public SiloAddress[] GetCompatibleSilos(PlacementTarget target)
    {
        SiloAddress[] active =
        [
            .. membership.CurrentSnapshot.Members.Values
                .Where(static member => member.Status == SiloStatus.Active)
                .Select(static member => member.SiloAddress)
                .Order(),
        ];
        return active.Length > 0 ? active : throw new SiloUnavailableException($"no silo is active that could take {target.GrainIdentity}");
    }

    public Task<SiloAddress> PlaceAsync(GrainId id)
    {
        var strategy = manifest.FindClass(id.Type)?.Placement ?? Default;
        var director = services.GetKeyedService<IPlacementDirector>(strategy.GetType())
            ?? throw new InvalidOperationException($"no placement director is registered for {strategy.GetType()}, the strategy of {id.Type}");
        return director.OnAddActivation(strategy, new PlacementTarget(id), this);
    }
}
