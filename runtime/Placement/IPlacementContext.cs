namespace Cluster.Runtime;

/// <summary>What a director can know of the cluster.</summary>
public interface IPlacementContext
{
    /// <summary>The silos that are active and know the grain's class, in a stable order.</summary>
    /// <exception cref="SiloUnavailableException">There is none.</exception>
    SiloAddress[] GetCompatibleSilos(PlacementTarget target);

    /// <summary>The silo of this process.</summary>
    SiloAddress LocalSilo { get; }

    /// <summary>Its status.</summary>
    SiloStatus LocalSiloStatus { get; }
}
