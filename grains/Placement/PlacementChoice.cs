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
