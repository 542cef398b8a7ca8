using System.Threading.Channels;
using Cluster.Grains.Placement;
using Cluster.Grains.Replicas;
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
    ClusterWorkOptions options,
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

/// <summary>
/// Drains this silo while an operator asks for that. It takes no new replicas, and moves its own to other silos, with new tries until the drain ends. The process goes
/// on. A drain ends with its process.
/// </summary>
internal sealed class AskedDrain(LocalReplicas replicas, SiloDraining draining, ReplicaMoves moves, TimeProvider time, ILogger<AskedDrain> logger) : BackgroundService
{
    /// <summary>Until what found no place elsewhere is tried again.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    private readonly Channel<CancellationToken> _drains = Channel.CreateUnbounded<CancellationToken>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _lock = new();
    private CancellationTokenSource _end = new();

    /// <summary>Begins to drain, or has the silo take replicas again; returns at once.</summary>
    public void Ask(bool drains)
    {
        lock (_lock)
        {
            if (!draining.Ask(drains))
            {
                return;
            }

            if (drains)
            {
                Log.DrainAsked(logger, replicas.Models().Count);
                _end.Dispose();
                _end = new CancellationTokenSource();
                _drains.Writer.TryWrite(_end.Token);
            }
            else
            {
                Log.DrainCalledOff(logger);
                _end.Cancel();
            }
        }
    }

    public override void Dispose()
    {
        _end.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var end in _drains.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(end, stoppingToken);
            await MoveAllAsync(either.Token).ConfigureAwait(false);
        }
    }

    private async Task MoveAllAsync(CancellationToken end)
    {
        var isTold = false;
        while (!end.IsCancellationRequested)
        {
            if (replicas.Models() is { Count: > 0 } models)
            {
                isTold = false;
                await moves.MoveAsync(models, end).ConfigureAwait(false);
            }

            if (!isTold && replicas.Models().Count == 0 && !end.IsCancellationRequested)
            {
                isTold = true;
                Log.DrainedAsAsked(logger);
            }

            // Also once none is left: a load that was under way when the drain began comes after.
            await Task.Delay(Retry, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
