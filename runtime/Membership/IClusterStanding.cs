namespace Cluster.Runtime;

/// <summary>How this process stands with its cluster.</summary>
public interface IClusterStanding
{
    /// <summary>Whether the membership table, and with it all that the cluster keeps in common, can be reached now.</summary>
    bool IsStoreReachable { get; }

    /// <summary>Why the cluster has declared this silo dead; null while it has not.</summary>
    string? Removal { get; }
}
