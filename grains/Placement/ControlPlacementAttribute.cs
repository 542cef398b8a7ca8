namespace Cluster.Grains.Placement;

/// <summary>Grains of this class only decide, and hold nothing that matters where it is.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ControlPlacementAttribute() : PlacementAttribute(new ControlPlacement());
