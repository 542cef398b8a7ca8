using Cluster.Contracts.Models;
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
    SiloView silos,
    ILocalSiloDetails local,
    IGrainFactory grains,
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
        var done = 0;
        try
        {
            await Parallel.ForEachAsync(
                models,
                new ParallelOptions { MaxDegreeOfParallelism = options.DrainConcurrency, CancellationToken = either.Token },
                async (model, token) =>
                {
                    if (await LeaveAsync(model, token).ConfigureAwait(false))
                    {
                        Interlocked.Increment(ref done);
                    }
                }).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The time is over: what is still here is reloaded by the others once this silo is gone.
        }

        metrics.Drained(done == models.Count);
        Log.DrainEnds(logger, done, models.Count, Math.Round(time.GetElapsedTime(start).TotalSeconds, 1));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> LeaveAsync(string model, CancellationToken cancellationToken)
    {
        try
        {
            // First report what was used since the last round: a replica whose use the model does not know would go without a successor.
            var grain = grains.GetGrain<IModelGrain>(model);
            foreach (var activity in replicas.All.Where(replica => replica.Id.Model == model).Select(replica => replica.Activity).Where(activity => activity.Requests > 0))
            {
                await grain.ReportLoadAsync(activity.Read(activity.LoadedFor, minSamples: 1)).ConfigureAwait(false);
            }

            var left = grain.LeaveSiloAsync(local.SiloAddress, cancellationToken).AsTask();
            await left.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // One model's trouble must not keep the others here.
            Log.DrainFailed(logger, model, exception.Message);
            return false;
        }
    }
}
