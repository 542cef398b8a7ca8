namespace Cluster.Runtime;

/// <summary>
/// Orleans keeps to itself where grains are: a silo can be reached for as long as the membership says that it serves, and nothing else was seen.
/// </summary>
internal sealed class MembershipLocations(IClusterMembershipService membership, ClosedSilos? closed = null) : IGrainLocations
{
    public SiloAddress? TryGetKnown(GrainId grainId) => null;

    public bool IsReachable(SiloAddress silo) =>
        membership.CurrentSnapshot.Members.TryGetValue(silo, out var member)
        && member.Status is SiloStatus.Active or SiloStatus.ShuttingDown
        && closed?.Contains(silo) != true;
}
