namespace Cluster.Runtime;

/// <summary>How a silo became unreachable.</summary>
public enum ConnectionLossKind
{
    /// <summary>No connection could be made: nobody listens there, or the network does not lead there.</summary>
    Unreachable,

    /// <summary>Somebody answered and refused: another run of the silo, another cluster, another protocol.</summary>
    Refused,

    /// <summary>A connection that worked broke without a goodbye.</summary>
    Broken,

    /// <summary>A connection that worked went silent and was given up.</summary>
    Silent,
}
