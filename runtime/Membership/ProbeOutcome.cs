namespace Cluster.Runtime;

/// <summary>What became of one probe of a silo.</summary>
public enum ProbeOutcome
{
    /// <summary>The silo answered in time.</summary>
    Alive,

    /// <summary>No answer in time.</summary>
    TimedOut,

    /// <summary>Nobody listens there, or the connection was reset: the process is gone.</summary>
    Refused,

    /// <summary>Another run of a silo answered on the same end point.</summary>
    Replaced,
}
