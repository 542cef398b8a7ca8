using System.Collections.Immutable;

namespace Cluster.Runtime;

/// <summary>The members of the cluster at one version.</summary>
public sealed class ClusterMembershipSnapshot(ImmutableDictionary<SiloAddress, ClusterMember> members, MembershipVersion version)
{
    /// <summary>Every silo that is known, dead ones included for a while.</summary>
    public ImmutableDictionary<SiloAddress, ClusterMember> Members { get; } = members;

    /// <summary>Larger for a later snapshot.</summary>
    public MembershipVersion Version { get; } = version;

    /// <summary>
    /// The status of a silo. A silo that is not listed is <see cref="SiloStatus.Dead"/> if a later run on its end point is,
    /// else <see cref="SiloStatus.None"/>.
    /// </summary>
    public SiloStatus GetSiloStatus(SiloAddress silo)
    {
        if (Members.TryGetValue(silo, out var member))
        {
            return member.Status;
        }

        return Members.Keys.Any(other => other.IsSuccessorOf(silo)) ? SiloStatus.Dead : SiloStatus.None;
    }
}
