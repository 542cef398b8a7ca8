namespace Cluster.Runtime;

/// <summary>What a process is to the other end of a connection. The numbers are part of the protocol.</summary>
internal enum PeerRole
{
    /// <summary>Hosts grains, and can be called.</summary>
    Silo = 0,

    /// <summary>Calls only.</summary>
    Client = 1,
}
