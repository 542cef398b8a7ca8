namespace Cluster.Runtime;

/// <summary>What a probe found.</summary>
public enum ProbeOutcome
{
    Answered,

    /// <summary>Nothing came back in time.</summary>
    TimedOut,

    /// <summary>There is no connection and none could be made, or it broke meanwhile.</summary>
    Unreachable,

    /// <summary>Whoever listens there is not the silo that was meant.</summary>
    Refused,
}
