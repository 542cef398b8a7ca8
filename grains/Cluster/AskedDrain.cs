using System.Threading.Channels;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

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
