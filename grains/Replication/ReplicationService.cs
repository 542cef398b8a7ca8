using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>Starts the replicas of this process, all at once, and stops them when what was registered after them is stopped.</summary>
internal sealed class ReplicationService(IEnumerable<ReplicatedMap> maps, ILogger<ReplicationService> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.WhenAll(maps.Select(map => map.StartAsync(cancellationToken)));

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(maps.Select(async map =>
    {
        await map.StopAsync(cancellationToken).ConfigureAwait(false);
        if (map.Pending is > 0 and var unsent)
        {
            Log.ReplicaUnsent(logger, unsent, map.Name);
        }
    }));
}
