using Cluster.Bench.Clients;
using Cluster.Bench.Server;

namespace Cluster.Bench.Silos;

/// <summary>The way through a gateway to a silo against one process that does both.</summary>
internal sealed class ServingPart(ClusterSettings settings, BenchModels models, TextWriter progress)
{
    public async Task<ComparisonReport> RunAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        await using var single = await ServerProcess.StartAsync(settings.SiloProgram, models.Folder, cancellationToken);
        var one = new Target(single.Server.Grpc, single.Server.Http, [single.Server.ProcessId!.Value]);
        var two = new Target(cluster.Gateways[0].Grpc, cluster.Gateways[0].Http, cluster.ProcessIds);
        var pairs = new List<(Cell One, Cell Two)>();
        foreach (var (model, workload) in models.Served)
        {
            foreach (var inFlight in new[] { 1, model.Saturating })
            {
                pairs.Add((
                    await MeasureAsync("one process", one, workload, inFlight, cancellationToken),
                    await MeasureAsync("gateway, silo", two, workload, inFlight, cancellationToken)));
            }
        }

        return ComparisonReport.Of(pairs);
    }

    private Task<Cell> MeasureAsync(string of, Target server, InferWorkload workload, int inFlight, CancellationToken cancellationToken)
    {
        progress.WriteLine($"{workload.Model}: {of}, {inFlight} in flight");
        return Cell.MeasureAsync(of, server, workload, inFlight, settings, cancellationToken);
    }
}
