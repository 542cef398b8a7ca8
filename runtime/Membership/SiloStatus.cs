namespace Cluster.Runtime;

/// <summary>Where a silo is in its life.</summary>
public enum SiloStatus
{
    None,
    Created,
    Joining,
    Active,
    ShuttingDown,
    Stopping,
    Dead,
}
