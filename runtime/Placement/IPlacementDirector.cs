namespace Cluster.Runtime;

/// <summary>Chooses silos for one kind of strategy. Called concurrently, in the process of the caller.</summary>
public interface IPlacementDirector
{
    /// <summary>The silo for a grain that is active nowhere.</summary>
    /// <exception cref="SiloUnavailableException">No silo can take it.</exception>
    Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context);
}
