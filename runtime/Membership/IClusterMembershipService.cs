namespace Cluster.Runtime;

/// <summary>Who is in the cluster.</summary>
public interface IClusterMembershipService
{
    /// <summary>The membership as known now.</summary>
    ClusterMembershipSnapshot CurrentSnapshot { get; }

    /// <summary>
    /// The membership now and again at each change, until the service stops. A slow reader may miss versions, never the last.
    /// </summary>
    IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates { get; }

    /// <summary>Returns once the snapshot is at least that version; without one, once it was read anew.</summary>
    ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default);

    /// <summary>Declares a silo dead; false if that was not possible.</summary>
    Task<bool> TryKill(SiloAddress siloAddress);
}
