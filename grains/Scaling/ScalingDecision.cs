namespace Cluster.Grains.Scaling;

/// <summary>What to do with a version's replicas.</summary>
/// <param name="Add">Replicas to add.</param>
/// <param name="Remove">The number of the replica to take away, or null.</param>
/// <param name="ForLoad">Whether replicas are added because of what there is to do, so that busy silos are no place for them.</param>
/// <param name="Reason">For the log; empty where nothing is to be done.</param>
/// <param name="Cause">The same for the metrics.</param>
public readonly record struct ScalingDecision(int Add, int? Remove, bool ForLoad, string Reason, ScalingCause Cause)
{
    public static ScalingDecision None { get; } = new(0, null, false, "", ScalingCause.None);
}

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
