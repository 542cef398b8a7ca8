using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Grains.Replication;
using Microsoft.Extensions.Hosting;

namespace Cluster.Silo.Hosting;

/// <summary>The health of a cluster of many processes, as this one sees it.</summary>
internal sealed class ClusterHealth(IClusterMembershipService membership, RedisConnection redis) : BackgroundService, ISiloHealth
{
    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public bool IsAlone => false;

    /// <inheritdoc/>
    public bool IsStoreReachable => redis.IsReachable;

    /// <inheritdoc/>
    public IEnumerable<SiloAddress> Silos => membership.CurrentSnapshot.ModelSilos();

    /// <inheritdoc/>
    public bool IsReachable(SiloAddress silo) =>
        membership.CurrentSnapshot.Members.TryGetValue(silo, out var member) && member.Status is SiloStatus.Active or SiloStatus.ShuttingDown;

    /// <inheritdoc/>
    public bool IsGone(SiloAddress silo) =>
        !membership.CurrentSnapshot.Members.TryGetValue(silo, out var member) || member.Status == SiloStatus.Dead;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var _ in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
        {
            Changed?.Invoke();
        }
    }
}
