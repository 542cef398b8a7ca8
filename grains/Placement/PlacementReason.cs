namespace Cluster.Grains.Placement;

/// <summary>How a replica came to its silo.</summary>
internal enum PlacementReason
{
    /// <summary>There is no other.</summary>
    OnlySilo,

    /// <summary>By the policy, and no other is in memory or was when it began.</summary>
    FirstCopy,

    /// <summary>By the policy, beside others.</summary>
    FurtherCopy,

    /// <summary>Nowhere: no silo can take it.</summary>
    NoSilo,
}
