using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

/// <summary>
/// Has this silo's replicas be elsewhere before it stops. It says that it leaves, so that nothing new comes, and has each model replace its replicas here, while
/// they go on answering. A silo that is alone does nothing.
/// </summary>
internal sealed class SiloDrain(
    LocalReplicas replicas,
    SiloDraining draining,
    ReplicaMoves moves,
    SiloView silos,
    ILocalSiloDetails local,
    ClusterOptions options,
    ClusterMetrics metrics,
    TimeProvider time,
    ILogger<SiloDrain> logger)
    : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Before anything closes: gateway and runtime still work.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (silos.Active().All(state => state.Silo == local.SiloAddress || state.Draining))
        {
            return;
        }

        draining.Begin();
        var models = replicas.Models();
        var start = time.GetTimestamp();
        Log.DrainBegins(logger, models.Count);
        using var limit = new CancellationTokenSource(options.StopTimeout * options.DrainShare, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var done = await moves.MoveAsync(models, either.Token).ConfigureAwait(false);
        metrics.Drained(done == models.Count);
        Log.DrainEnds(logger, done, models.Count, Math.Round(time.GetElapsedTime(start).TotalSeconds, 1));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
