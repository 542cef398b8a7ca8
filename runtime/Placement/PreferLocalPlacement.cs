namespace Cluster.Runtime;

/// <summary>The silo of the caller if it can, else any.</summary>
public sealed class PreferLocalPlacement : PlacementStrategy
{
}
