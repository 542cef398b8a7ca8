namespace Cluster.Grains.Placement;

/// <summary>
/// Any silo that is not about to leave and whose model repository agrees with the others', each as likely as the others. If there is none, any silo.
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

/// <summary>The directors' source of randomness. Safe from any thread.</summary>
internal sealed class PlacementRandom(Random random)
{
    private readonly Lock _lock = new();

    /// <summary>One of at least one, each as likely as the others.</summary>
    public T OneOf<T>(IReadOnlyList<T> items) => Use(source => items[source.Next(items.Count)]);

    public T Use<T>(Func<Random, T> use)
    {
        lock (_lock)
        {
            return use(random);
        }
    }
}
