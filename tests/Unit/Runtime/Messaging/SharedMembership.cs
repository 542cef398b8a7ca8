using System.Collections.Immutable;
using System.Threading.Channels;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>A membership that the test decides, shared by all processes of a test.</summary>
internal sealed class SharedMembership : IClusterMembershipService
{
    private readonly Lock _lock = new();
    private readonly List<Channel<ClusterMembershipSnapshot>> _readers = [];

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } =
        new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new MembershipVersion(1));

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates
    {
        get
        {
            lock (_lock)
            {
                var channel = Channel.CreateUnbounded<ClusterMembershipSnapshot>();
                channel.Writer.TryWrite(CurrentSnapshot);
                _readers.Add(channel);
                return channel.Reader.ReadAllAsync();
            }
        }
    }

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

    public Task<bool> TryKill(SiloAddress siloAddress)
    {
        Set(siloAddress, SiloStatus.Dead);
        return Task.FromResult(true);
    }

    public void Set(SiloAddress silo, SiloStatus status)
    {
        lock (_lock)
        {
            CurrentSnapshot = new ClusterMembershipSnapshot(
                CurrentSnapshot.Members.SetItem(silo, new ClusterMember(silo, status, silo.ToString())),
                new MembershipVersion(CurrentSnapshot.Version.Value + 1));
            foreach (var reader in _readers)
            {
                reader.Writer.TryWrite(CurrentSnapshot);
            }
        }
    }
}
