using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.Runtime;

/// <summary>The membership in a process that is no silo: what silos publish.</summary>
internal sealed class ReplicatedMembership(
    [FromKeyedServices(MembershipDocument.MapName)] IReplicatedMap map, LostCalls calls) : IClusterMembershipService, IHostedService, IDisposable
{
    private readonly SnapshotFeed _feed = new(new ClusterMembershipSnapshot([], MembershipVersion.MinValue));
    private readonly Lock _lock = new();

    public ClusterMembershipSnapshot CurrentSnapshot => _feed.Current;

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => _feed.ReadAsync();

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
        _feed.WaitAsync(minimumVersion, cancellationToken);

    /// <summary>Only silos remove silos.</summary>
    public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        map.Changed += OnChanged;
        OnChanged(MembershipDocument.Key);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        map.Changed -= OnChanged;
        return Task.CompletedTask;
    }

    public void Dispose() => _feed.Dispose();

    private void OnChanged(string key)
    {
        bool lost;
        lock (_lock)
        {
            // Read under the lock: the start and the map may both be here, and what was read last must be what stays.
            if (MembershipDocument.Read(map) is not { } document)
            {
                return;
            }

            var before = _feed.Current;
            var now = document.ToSnapshot();
            lost = before.Members.Values.Any(member => member.Status != SiloStatus.Dead && IsGone(now, member.SiloAddress));
            _feed.Publish(now);
        }

        if (lost)
        {
            calls.Fail();
        }
    }

    private static bool IsGone(ClusterMembershipSnapshot snapshot, SiloAddress silo) =>
        !snapshot.Members.TryGetValue(silo, out var member) || member.Status == SiloStatus.Dead;
}
