using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>This silo if it is active and knows the class, else any.</summary>
internal sealed class PreferLocalPlacementDirector([FromKeyedServices(typeof(RandomPlacement))] IPlacementDirector any) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) =>
        context.GetCompatibleSilos(target).Contains(context.LocalSilo)
            ? Task.FromResult(context.LocalSilo)
            : any.OnAddActivation(strategy, target, context);
}
