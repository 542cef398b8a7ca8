namespace Cluster.Runtime;

/// <summary>Chooses silos for one kind of strategy. Called concurrently, in the process of the caller.</summary>
public interface IPlacementDirector
{
    /// <summary>The silo for a grain that is active nowhere.</summary>
    /// <exception cref="SiloUnavailableException">No silo can take it.</exception>
    Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context);
}

/// <summary>The grain to be placed.</summary>
#pragma warning disable CA1815 // Nobody compares targets.
public readonly struct PlacementTarget(GrainId grainIdentity)
#pragma warning restore CA1815
{
    /// <summary>The grain.</summary>
    public GrainId GrainIdentity { get; } = grainIdentity;
}

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
