namespace Cluster.Grains.Placement;

/// <summary>Any silo that is not about to leave, each as likely as the others; one that is, if there is no other.</summary>
internal sealed class ControlPlacementDirector(SiloView view, PlacementRandom random) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var staying = Array.FindAll(silos, silo => !view.IsDraining(silo));
        return Task.FromResult(random.OneOf(staying.Length > 0 ? staying : silos));
    }
}
