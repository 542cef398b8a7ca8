using System.Diagnostics.CodeAnalysis;

namespace Cluster.Grains.Placement;

/// <summary>Where a replica goes, or why it can go nowhere.</summary>
/// <param name="Silo">Null where no silo is eligible.</param>
/// <param name="Reason">Where no silo is eligible: how many silos are out for which reason.</param>
public sealed record PlacementChoice(SiloAddress? Silo, string Reason)
{
    [MemberNotNullWhen(true, nameof(Silo))]
    public bool Found => Silo is not null;
}

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
