using Cluster.Grains.Replication;

namespace Cluster.Unit.Replication;

/// <summary>Stops a map at the end of a test.</summary>
internal sealed class MapStop(ReplicatedMap map) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        // No test waits for what was not sent by its end.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await map.StopAsync(now.Token);
        map.Dispose();
    }
}
