using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

/// <summary>Tells the controller of each change of the membership that this silo sees, until it has heard. So there is a controller, wherever the former one was.</summary>
internal sealed class ControllerWatch(
    IClusterMembershipService membership, IGrainFactory grains, TimeProvider time, ILogger<ControllerWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
        {
            while (!await TryTellAsync(snapshot.Version, stoppingToken).ConfigureAwait(false))
            {
                await Task.Delay(Retry, time, stoppingToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> TryTellAsync(MembershipVersion version, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<IControllerGrain>(IControllerGrain.Key).MembershipChangedAsync(version, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Its silo may be the one that is lost: the next call finds it elsewhere.
            Log.ControllerNotTold(logger, version.ToString(), exception.Message);
            return false;
        }
    }
}
