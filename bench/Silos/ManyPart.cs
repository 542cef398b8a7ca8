using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Clients;
using Cluster.Bench.Measurement;
using Cluster.Bench.Server;

namespace Cluster.Bench.Silos;

/// <summary>Many registered models against few: what they take, and whether a request for one of them notices.</summary>
internal sealed class ManyPart(ClusterSettings settings, BenchModels models, TextWriter progress)
{
    private const int Few = 10;
    private const int Callers = 32;
    private const int Saturating = 32;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);

    public async Task<ManyReport> RunAsync(CancellationToken cancellationToken)
    {
        await using var few = await BenchCluster.StartAsync(settings.SiloProgram, models.Folder, 1, 1, cancellationToken);
        await using var many = await BenchCluster.StartAsync(settings.SiloProgram, models.Folder, 1, 1, cancellationToken);
        var fewSeconds = await RegisterAsync(few, Few, cancellationToken);
        var manySeconds = await RegisterAsync(many, settings.ManyModels, cancellationToken);
        var pairs = new List<(Cell, Cell)>();
        foreach (var inFlight in new[] { 1, Saturating, 1, Saturating })
        {
            pairs.Add((await MeasureAsync(few, Few, inFlight, cancellationToken), await MeasureAsync(many, settings.ManyModels, inFlight, cancellationToken)));
        }

        ManyState[] states =
        [
            await StateAsync(few, Few, fewSeconds, cancellationToken),
            await StateAsync(many, settings.ManyModels, manySeconds, cancellationToken),
        ];
        return new ManyReport(states, ComparisonReport.Of(pairs));
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"many-{number}");

    private async Task<double> RegisterAsync(BenchCluster cluster, int count, CancellationToken cancellationToken)
    {
        await progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"registering {count} models"));
        using var gateway = new GrpcCaller(cluster.Gateways[0].Grpc);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellationToken };
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(
            0, count, options, async (number, cancelled) => await gateway.RegisterAsync(Name(number), models.Small.Model, "", load: false, cancelled));
        return Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 2);
    }

    private async Task<Cell> MeasureAsync(BenchCluster cluster, int count, int inFlight, CancellationToken cancellationToken)
    {
        var of = string.Create(CultureInfo.InvariantCulture, $"{count:N0} models");
        await progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{of}, {inFlight} in flight"));
        var target = new Target(cluster.Gateways[0].Grpc, cluster.Gateways[0].Http, cluster.ProcessIds);
        return await Cell.MeasureAsync(of, target, models.Small with { Model = Name(Few / 2) }, inFlight, settings, cancellationToken);
    }

    private async Task<ManyState> StateAsync(BenchCluster cluster, int count, double registerSeconds, CancellationToken cancellationToken)
    {
        var gatewayMib = Mib(cluster.Gateways[0]);
        var siloMib = Mib(cluster.Silos[0]);
        var idle = await IdleAsync(cluster, cancellationToken);
        var start = Stopwatch.GetTimestamp();
        var gateway = await cluster.AddGatewayAsync(cancellationToken);
        using var caller = new GrpcCaller(gateway.Grpc);
        await cluster.UntilAsync(() => cluster.IsReadyAsync(gateway, cancellationToken), "the new gateway is ready", cancellationToken);
        var readySeconds = Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 2);
        var early = new List<string>();
        await cluster.UntilAsync(() => AnswersAsync(caller, early, cancellationToken), "the new gateway answers", cancellationToken);
        var gatewaySeconds = Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 2);
        start = Stopwatch.GetTimestamp();
        var silo = await cluster.AddSiloAsync(cancellationToken);
        await cluster.UntilAsync(() => cluster.IsReadyAsync(silo, cancellationToken), "the new silo is ready", cancellationToken);
        await cluster.UntilAsync(gateway, view => view.ActiveSilos.Contains(silo.Silo), "the new silo is a member", cancellationToken);
        return new ManyState(
            count,
            registerSeconds,
            idle,
            readySeconds,
            gatewaySeconds,
            Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 2),
            gatewayMib,
            siloMib,
            Mib(gateway),
            early.Count,
            early.FirstOrDefault());
    }

    /// <summary>What the cluster takes of one processor while nobody asks, percent.</summary>
    private static async Task<double> IdleAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        var processes = cluster.ProcessIds;
        var start = Stopwatch.GetTimestamp();
        var used = CpuTimes.Read(processes);
        await Task.Delay(Idle, cancellationToken);
        used = CpuTimes.Read(processes) - used;
        return Math.Round(100 * (used.Server!.Value / Stopwatch.GetElapsedTime(start)), 1);
    }

    /// <summary>Asks the model; a failure is kept.</summary>
    private async Task<bool> AnswersAsync(GrpcCaller gateway, List<string> failures, CancellationToken cancellationToken)
    {
        try
        {
            await gateway.InferAsync(GrpcRequest.Build(models.Small with { Model = Name(Few / 2) }), cancellationToken);
            return true;
        }
        catch (InvalidDataException error)
        {
            failures.Add(error.Message);
            return false;
        }
    }

    private static double Mib(ClusterProcess process) => Math.Round(process.ResidentBytes / (double)(1 << 20), 1);
}
