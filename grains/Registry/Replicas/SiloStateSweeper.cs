using Microsoft.Extensions.Hosting;

namespace Cluster.Grains.Registry.Replicas;

/// <summary>After each change of the membership, has the living silo with the smallest address remove the states of the dead.</summary>
internal sealed class SiloStateSweeper(ReplicatedSiloStates states, IClusterMembershipService membership, ILocalSiloDetails local) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
        {
            var first = snapshot.Members.Values.Where(static member => member.Status == SiloStatus.Active).Select(static member => member.SiloAddress).Min();
            if (local.SiloAddress.Equals(first))
            {
                states.RemoveDead();
            }
        }
    }
}
