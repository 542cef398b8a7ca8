namespace Cluster.Runtime;

/// <summary>What a silo says to a hello. The numbers are part of the protocol.</summary>
internal enum HandshakeResult
{
    Accepted = 0,
    NoCommonVersion = 1,
    OtherCluster = 2,

    /// <summary>The address that was meant is not, or no longer, this silo's.</summary>
    OtherSilo = 3,

    /// <summary>The membership counts the caller as dead.</summary>
    Dead = 4,

    Stopping = 5,

    /// <summary>The silo is connecting to the caller at this moment, and that connection is the one that stays.</summary>
    Crossing = 6,
}
