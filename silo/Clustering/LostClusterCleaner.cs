using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Cluster.Silo.Clustering;

/// <summary>
/// A silo that joins must reach all that the table calls active, and only active silos declare others dead: where all were lost at once, none could ever join. So a silo that
/// joins declares those dead that have not said for a while that they live, and at whose address nobody listens.
/// </summary>
internal sealed class LostClusterCleaner(
    IMembershipTable table,
    IClusterMembershipService membership,
    ILocalSiloDetails local,
    IOptions<ClusterMembershipOptions> options,
    TimeProvider time,
    ILogger<LostClusterCleaner> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (membership.CurrentSnapshot.GetSiloStatus(local.SiloAddress) is not (SiloStatus.Active or SiloStatus.Dead))
        {
            await Task.Delay(Look, time, stoppingToken).ConfigureAwait(false);
            try
            {
                await CleanAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The table is not there yet, or was changed by somebody else: the next look tells.
                ClusteringLog.NotCleaned(logger, exception.Message);
            }
        }
    }

    private async Task CleanAsync(CancellationToken cancellationToken)
    {
        var patience = options.Value.IAmAliveTablePublishTimeout * options.Value.NumMissedTableIAmAliveLimit;
        var data = await table.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (entry, etag) in data.Members)
        {
            if (entry.Status == SiloStatus.Active
                && time.GetUtcNow().UtcDateTime - entry.IAmAliveTime > patience
                && !await TcpProbe.ListensAsync(entry.SiloAddress.Endpoint, cancellationToken).ConfigureAwait(false))
            {
                entry.Status = SiloStatus.Dead;
                entry.AddSuspector(local.SiloAddress, time.GetUtcNow().UtcDateTime);
                if (await table.UpdateRowAsync(entry, etag, data.Version.Next(), cancellationToken).ConfigureAwait(false))
                {
                    ClusteringLog.DeclaresLost(logger, entry.SiloAddress);
                }

                // One write makes what was read old.
                return;
            }
        }
    }
}
