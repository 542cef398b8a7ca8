using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>A new cluster with few models and then with many: requests for one of them, registering, idling, one more gateway and silo.</summary>
/// <param name="many">How many models in the end.</param>
internal sealed class ManyCase(string name, int many, int mostRounds, LoadPlan plan) : CompareCase(name)
{
    private const int Few = 10;
    private const int Callers = 32;

    private static readonly LoadShape Shape = new(4, 8);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);
    private static readonly Workload Asked = Workload.Identity(16) with { Model = ModelName(Few / 2) };

    public override int MostRounds => mostRounds;

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        await using var cluster = await build.StartClusterAsync(1, 1, cancellationToken);
        using var call = new GrpcInferCall(cluster.Target.Grpc, Asked);
        await RegisterAsync(cluster, 0, Few, cancellationToken);
        var few = await CheckedLoad.RunAsync(call, Shape, plan, cluster.ProcessIds, cancellationToken);
        var registerSeconds = await RegisterAsync(cluster, Few, many, cancellationToken);
        var asked = await CheckedLoad.RunAsync(call, Shape, plan, cluster.ProcessIds, cancellationToken);
        var meter = new CpuMeter(cluster.ProcessIds);
        await Task.Delay(Idle, cancellationToken);
        var idle = meter.Read();
        var (readySeconds, answerSeconds, refused, gateway) = await AddGatewayAsync(cluster, cancellationToken);
        var start = Stopwatch.GetTimestamp();
        var silo = await cluster.AddSiloAsync(cancellationToken);
        await cluster.UntilAsync(() => silo.IsReadyAsync(cancellationToken), "the new silo is ready", cancellationToken);
        await cluster.UntilAsync(gateway, view => view.ActiveSilos.Contains(silo.Grpc.ToString()), "the new silo is a member", cancellationToken);
        return new Sample(
            Math.Max(few.Cpu.OthersPercent, asked.Cpu.OthersPercent),
            new Figure("req/s of few", few.RequestsPerSecond),
            new Figure("req/s of many", asked.RequestsPerSecond),
            new Figure("registering s", registerSeconds),
            new Figure("idle CPU %", 100 * (idle.Server!.Value / idle.Elapsed)),
            new Figure("new gateway ready s", readySeconds),
            new Figure("new gateway answers s", answerSeconds),
            new Figure("refused between", refused),
            new Figure("new silo member s", Stopwatch.GetElapsedTime(start).TotalSeconds),
            new Figure("gateway MiB", ProcessMemory.NowMib(cluster.Gateways[0].Id)),
            new Figure("silo MiB", ProcessMemory.NowMib(cluster.Silos[0].Id)),
            new Figure("new gateway MiB", ProcessMemory.NowMib(gateway.Id)));
    }

    private static string ModelName(int number) => string.Create(CultureInfo.InvariantCulture, $"many-{number}");

    /// <summary>Registers models for one tiny file: a registered model is not loaded before it is asked.</summary>
    /// <returns>Seconds.</returns>
    private static async Task<double> RegisterAsync(BenchCluster cluster, int from, int until, CancellationToken cancellationToken)
    {
        using var gateway = new GrpcClient(cluster.Target.Grpc);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellationToken };
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(
            from, until, options, async (number, cancelled) => await gateway.RegisterAsync(ModelName(number), ModelFolder.Identity, "", load: false, cancelled));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Starts one more gateway: seconds until it is ready and until it answers for a registered model, and what it refused between the two.</summary>
    private static async Task<(double Ready, double Answers, int Refused, ServerProcess Gateway)> AddGatewayAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var gateway = await cluster.AddGatewayAsync(cancellationToken);
        await cluster.UntilAsync(() => gateway.IsReadyAsync(cancellationToken), "the new gateway is ready", cancellationToken);
        var ready = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using var client = new GrpcClient(gateway.Grpc);
        var refused = 0;
        await cluster.UntilAsync(
            async () =>
            {
                try
                {
                    Asked.CheckMessage(await client.InferAsync(Asked.ToMessage(), cancellationToken));
                    return true;
                }
                catch (GrpcFailureException)
                {
                    refused++;
                    return false;
                }
            },
            "the new gateway answers",
            cancellationToken);
        return (ready, Stopwatch.GetElapsedTime(start).TotalSeconds, refused, gateway);
    }
}
