namespace Cluster.Grains.Scaling;

/// <summary>Why replicas come or go.</summary>
public enum ScalingCause
{
    None,

    /// <summary>Fewer than the least.</summary>
    Minimum,

    /// <summary>More than the most.</summary>
    Maximum,

    /// <summary>More to do than the replicas should have.</summary>
    Load,

    /// <summary>The use of the model lasts.</summary>
    LastingUse,

    /// <summary>Memory is short, and the others suffice.</summary>
    ShortMemory,
}
