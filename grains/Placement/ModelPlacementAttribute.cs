namespace Cluster.Grains.Placement;

/// <summary>Grains of this class are copies of models.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ModelPlacementAttribute() : PlacementAttribute(new ModelPlacement());
