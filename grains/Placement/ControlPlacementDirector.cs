namespace Cluster.Grains.Placement;

/// <summary>
/// Any silo that is not about to leave and whose model repository agrees with the others', each as likely as the others; one that is or does not, if there is no other.
/// </summary>
internal sealed class ControlPlacementDirector(SiloView view, PlacementRandom random) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var staying = Array.FindAll(silos, view.IsSound);
        return Task.FromResult(random.OneOf(staying.Length > 0 ? staying : silos));
    }
}

/// <summary>Grains that only decide: any silo, but none that is about to leave.</summary>
internal sealed class ControlPlacement : PlacementStrategy;

/// <summary>Grains of this class only decide, and hold nothing that matters where it is.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ControlPlacementAttribute() : PlacementAttribute(new ControlPlacement());
