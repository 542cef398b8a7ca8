using System.Globalization;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Echo;

/// <summary>What our code costs beside Kestrel and the gRPC library, and what a second process costs.</summary>
internal sealed class EchoBenchmark : IBenchmark
{
    private const int SmallFloats = 16;
    private const int LargeFloats = 153_600;
    private static readonly LoadShape SmallShape = new(8, 16);
    private static readonly LoadShape LargeShape = new(4, 2);

    public string Name => "echo";

    public string Summary => "one process against an endpoint on the same gRPC library that decodes nothing, and gateway and silo as two processes against one";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("rounds", "N", "rounds of each case, each of both sides; default 5"),
        new("seconds", "S", "measured time of a load; default 3"),
        new("warm-up", "S", "time before the first round of a load; default 3"),
        new("only", "WORD", "only cases whose name has it: small, large, echo, processes"),
        new("silo", "FILE", "the server to start; default silo/bin/Release/net10.0/publish/cluster-silo"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var arguments = context.Arguments;
        var rounds = arguments.Integer("rounds", 5, 1, 100);
        var plan = new LoadPlan(arguments.Seconds("warm-up", 3, 0.1, 60), arguments.Seconds("seconds", 3, 0.1, 600));
        var only = arguments.Text("only") ?? "";
        var silo = Path.GetFullPath(arguments.Text("silo") ?? Path.Combine(context.Root, "silo/bin/Release/net10.0/publish/cluster-silo"));
        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        using var models = ModelFolder.WithIdentity(context.Root);
        await using var single = await ServerProcess.StartAsync(silo, models.Path, cancellationToken);
        var cases = new List<CaseReport>();
        foreach (var (size, floats, shape) in new[] { ("small", SmallFloats, SmallShape), ("large", LargeFloats, LargeShape) })
        {
            var load = new SidesLoad(Workload.Identity(floats), shape, plan);
            if (Takes($"echo {size}"))
            {
                await context.Progress.WriteLineAsync($"echo {size}");
                await using var echo = await EchoEndpoint.StartAsync(floats, cancellationToken);
                cases.Add(await load.CompareAsync($"echo {size}", rounds, echo.Target, single.Target, cancellationToken));
            }

            if (Takes($"processes {size}"))
            {
                await context.Progress.WriteLineAsync($"processes {size}");
                await using var cluster = await BenchCluster.StartAsync(silo, models.Path, silos: 1, gateways: 1, cancellationToken);
                cases.Add(await load.CompareAsync($"processes {size}", rounds, single.Target, cluster.Target, cancellationToken));
            }
        }

        if (cases.Count == 0)
        {
            throw new UsageException($"option '--only' knows no '{only}'");
        }

        string[] notes =
        [
            "small: 16 floats each way, 8 connections with 16 requests in flight; large: 600 KB each way, 4 with 2",
            "echo: other is an endpoint that decodes nothing and answers as many bytes; ours is one process that serves identity",
            "processes: other is that one process; ours are a gateway and a silo, whose CPU has that of Redis in it",
            string.Create(CultureInfo.InvariantCulture, $"{rounds} rounds, {plan.Duration.TotalSeconds} s a load; the load generator shares the processors"),
        ];
        return new RatioReport(Name, started, machine, "other", "ours", notes, cases).ToReport();

        bool Takes(string name) => name.Contains(only, StringComparison.Ordinal);
    }

    /// <summary>The same request to either side, for as long on each.</summary>
    private sealed class SidesLoad(Workload workload, LoadShape shape, LoadPlan plan)
    {
        public async Task<CaseReport> CompareAsync(string name, int rounds, Target first, Target second, CancellationToken cancellationToken)
        {
            using var one = new GrpcInferCall(first.Grpc, workload);
            using var other = new GrpcInferCall(second.Grpc, workload);
            var before = await CheckedLoad.WarmUpAsync(one, shape, plan, first.Processes, cancellationToken);
            var after = await CheckedLoad.WarmUpAsync(other, shape, plan, second.Processes, cancellationToken);
            return await CaseReport.MeasureAsync(
                name,
                rounds,
                async () => Sample.Of(await CheckedLoad.RunAsync(one, before, shape, first.Processes, cancellationToken)),
                async () => Sample.Of(await CheckedLoad.RunAsync(other, after, shape, second.Processes, cancellationToken)));
        }
    }
}
