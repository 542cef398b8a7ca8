namespace Cluster.Runtime;

/// <summary>How a silo is chosen for a new activation; its director does the choosing. Instances never change.</summary>
public abstract class PlacementStrategy
{
}

/// <summary>Any silo, each as likely as the others.</summary>
public sealed class RandomPlacement : PlacementStrategy
{
}

/// <summary>The silo of the caller if it can, else any.</summary>
public sealed class PreferLocalPlacement : PlacementStrategy
{
}
