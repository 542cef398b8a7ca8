using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>Any silo, each as likely as the others.</summary>
internal sealed class RandomPlacementDirector([FromKeyedServices(RandomPlacementDirector.RandomKey)] Random random) : IPlacementDirector
{
    /// <summary>The key of the source of randomness, for tests that want to know what comes.</summary>
    public const string RandomKey = "Cluster.Runtime.Placement";

    private readonly Lock _lock = new();

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        lock (_lock)
        {
            return Task.FromResult(silos[random.Next(silos.Length)]);
        }
    }
}
