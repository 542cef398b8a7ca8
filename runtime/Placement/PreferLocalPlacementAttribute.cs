namespace Cluster.Runtime;

/// <summary>Grains of this class go to the silo of their first caller.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PreferLocalPlacementAttribute() : PlacementAttribute(new PreferLocalPlacement());
