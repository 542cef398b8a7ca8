namespace Cluster.Grains.Placement;

/// <summary>Grains that only decide: any silo, but none that is about to leave.</summary>
internal sealed class ControlPlacement : PlacementStrategy;
