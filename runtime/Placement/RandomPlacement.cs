namespace Cluster.Runtime;

/// <summary>Any silo, each as likely as the others.</summary>
public sealed class RandomPlacement : PlacementStrategy
{
}
