using Cluster.Contracts.Models;
using Cluster.Grains.Replicas;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

/// <summary>Has each model replace its replicas on this silo by ones elsewhere, while they go on answering. Safe from any thread.</summary>
internal sealed class ReplicaMoves(LocalReplicas replicas, ILocalSiloDetails local, IGrainFactory grains, ClusterWorkOptions options, ILogger<ReplicaMoves> logger)
{
    /// <summary>Asks each of the models once; ends early where that is cancelled.</summary>
    /// <returns>How many have done all that they could.</returns>
    public async Task<int> MoveAsync(IReadOnlyCollection<string> models, CancellationToken cancellationToken)
    {
        var done = 0;
        try
        {
            await Parallel.ForEachAsync(
                models,
                new ParallelOptions { MaxDegreeOfParallelism = options.DrainConcurrency, CancellationToken = cancellationToken },
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
            // What is still here stays: the others reload it once this silo is gone, or it goes on serving here.
        }

        return done;
    }

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
