namespace Cluster.Runtime;

/// <summary>Gives a grain class its placement strategy. Without one it is <see cref="RandomPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class PlacementAttribute : Attribute
{
    protected PlacementAttribute(PlacementStrategy placement) => PlacementStrategy = placement;

    /// <summary>The strategy.</summary>
    public PlacementStrategy PlacementStrategy { get; }
}
