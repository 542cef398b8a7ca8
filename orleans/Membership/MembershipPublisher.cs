using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.Runtime;

/// <summary>Has a silo publish each membership that it learns, unless another has published that one or a later one.</summary>
internal sealed class MembershipPublisher(
    IClusterMembershipService membership, [FromKeyedServices(MembershipDocument.MapName)] IReplicatedMap map) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        map.Changed += OnChanged;
        try
        {
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
            {
                Publish(snapshot);
            }
        }
        finally
        {
            map.Changed -= OnChanged;
        }
    }

    /// <summary>Of two silos that publish at once the one that knows less may have come last.</summary>
    private void OnChanged(string key) => Publish(membership.CurrentSnapshot);

    private void Publish(ClusterMembershipSnapshot snapshot)
    {
        if (MembershipDocument.Read(map) is not { } known || known.Version < snapshot.Version.Value)
        {
            map.Publish(MembershipDocument.Key, MembershipDocument.Of(snapshot).Write());
        }
    }
}
