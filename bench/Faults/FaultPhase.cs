namespace Cluster.Bench.Faults;

/// <summary>What goes on besides the steady load while a fault lasts.</summary>
internal enum FaultPhase
{
    Steady,

    /// <summary>Models that are registered and not loaded get their first request.</summary>
    Cold,

    /// <summary>Models that are asked all the time get new content.</summary>
    Reload,
}
