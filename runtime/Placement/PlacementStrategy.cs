namespace Cluster.Runtime;

/// <summary>How a silo is chosen for a new activation; its director does the choosing. Instances never change.</summary>
public abstract class PlacementStrategy
{
}
