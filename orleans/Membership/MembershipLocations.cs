namespace Cluster.Runtime;

/// <summary>Orleans keeps to itself where grains are and which connections broke: a silo can be reached for as long as the membership says that it serves.</summary>
internal sealed class MembershipLocations(IClusterMembershipService membership) : IGrainLocations
{
    public SiloAddress? TryGetKnown(GrainId grainId) => null;

    public bool IsReachable(SiloAddress silo) =>
        membership.CurrentSnapshot.Members.TryGetValue(silo, out var member) && member.Status is SiloStatus.Active or SiloStatus.ShuttingDown;
}
