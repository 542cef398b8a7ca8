using System.Collections.Immutable;

namespace Cluster.Unit.Clustering;

/// <summary>A membership that the test sets; what is killed is noted, not done.</summary>
internal sealed class KillRecorder : IClusterMembershipService
{
    public List<SiloAddress> Kills { get; } = [];

    public List<MembershipVersion> Refreshes { get; } = [];

    /// <summary>Called with each silo that is killed.</summary>
    public Action<SiloAddress> Killed { get; set; } = static _ => { };

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } = new([], MembershipVersion.MinValue);

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

    public void Set(long version, params (SiloAddress Silo, SiloStatus Status)[] members) => CurrentSnapshot = new(
        members.ToImmutableDictionary(static member => member.Silo, static member => new ClusterMember(member.Silo, member.Status, "")),
        new MembershipVersion(version));

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default)
    {
        Refreshes.Add(minimumVersion);
        return default;
    }

    public Task<bool> TryKill(SiloAddress siloAddress)
    {
        Kills.Add(siloAddress);
        Killed(siloAddress);
        return Task.FromResult(true);
    }
}
