namespace Cluster.Grains.Placement;

/// <summary>Grains that speak for one silo: they are there, and the silo's address in its parsable form is their key.</summary>
internal sealed class SiloPlacement : PlacementStrategy;

/// <summary>Grains of this class speak for one silo.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SiloPlacementAttribute() : PlacementAttribute(new SiloPlacement());

/// <summary>Reads the silo out of the key, also where that is no member any more: then the message is refused where it is sent.</summary>
internal sealed class SiloPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) =>
        Task.FromResult(SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!));
}
