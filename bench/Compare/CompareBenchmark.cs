using System.Globalization;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>Two builds of the server on one machine in one run, in turns.</summary>
internal sealed class CompareBenchmark : IBenchmark
{
    private const int SmallFloats = 16;
    private const int LargeFloats = 153_600;
    private const int UnreadMebibytes = 64;

    public string Name => "compare";

    public string Summary => "this build against another one, in turns: rate, CPU, latencies, memory, with every answer checked";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("base", "DIR", "the other checkout, built in Release; default this one: the ratios then show what the machine does"),
        new("rounds", "N", "rounds of each case, each of both builds; default 6"),
        new("seconds", "S", "measured time of a load; default 3"),
        new("warm-up", "S", "time before the first round of a load; default 2"),
        new("only", "A,B", "only cases whose name begins so: " + string.Join(", ", Cases(new LoadPlan(default, default), "").Select(static one => one.Name))),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var arguments = context.Arguments;
        var rounds = arguments.Integer("rounds", 6, 1, 100);
        var plan = new LoadPlan(arguments.Seconds("warm-up", 2, 0.1, 60), arguments.Seconds("seconds", 3, 0.1, 600));
        var cases = Chosen(Cases(plan, context.Root), arguments.Text("only"));
        var first = Build.Find(arguments.Text("base") ?? context.Root);
        var second = Build.Find(context.Root);
        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        using var models = ModelFolder.WithIdentity(context.Root);
        models.Add(UnreadMemoryCase.Model, UnreadMemoryCase.ModelFile(UnreadMebibytes));
        await using var one = new RunningBuild(first, models.Path);
        await using var other = new RunningBuild(second, models.Path);
        var reports = new List<CaseReport>();
        foreach (var each in cases)
        {
            await context.Progress.WriteLineAsync(each.Name);
            reports.Add(await MeasureAsync(each, one, other, rounds, cancellationToken));
        }

        string[] notes =
        [
            $"base: {first.Commit} in {first.Root}",
            $"new:  {second.Commit} in {second.Root}",
            string.Create(CultureInfo.InvariantCulture, $"{rounds} rounds, {plan.Duration.TotalSeconds} s a load; CPU is that of all processes of the server"),
        ];
        return new RatioReport(Name, started, machine, "base", "new", notes, reports).ToReport();
    }

    private static IReadOnlyList<CompareCase> Cases(LoadPlan plan, string root)
    {
        var (small, large) = (Workload.Identity(SmallFloats), Workload.Identity(LargeFloats));
        LoadCase Single(string name, Func<Target, InferCall> create, int connections, int streams) =>
            new(name, static (build, cancelled) => build.SingleAsync(cancelled), create, new LoadShape(connections, streams), plan);
        LoadCase Cluster(string name, Func<Target, InferCall> create, int connections, int streams) =>
            new(name, static (build, cancelled) => build.ClusterAsync(cancelled), create, new LoadShape(connections, streams), plan);

        // HTTP/1.1 has one request in flight on a connection.
        return
        [
            Single("grpc-small-8x16", server => new GrpcInferCall(server.Grpc, small), 8, 16),
            Single("grpc-small-4x8", server => new GrpcInferCall(server.Grpc, small), 4, 8),
            Single("grpc-small-1x1", server => new GrpcInferCall(server.Grpc, small), 1, 1),
            Single("grpc-large-4x2", server => new GrpcInferCall(server.Grpc, large), 4, 2),
            Single("rest-small-128x1", server => new RestInferCall(server.Http, small, binary: true), 128, 1),
            Single("rest-small-1x1", server => new RestInferCall(server.Http, small, binary: true), 1, 1),
            Single("rest-large-8x1", server => new RestInferCall(server.Http, large, binary: true), 8, 1),
            Single("json-small-128x1", server => new RestInferCall(server.Http, small, binary: false), 128, 1),
            new EchoMemoryCase("memory-echo-4x128MiB", 4, 128),
            new UnreadMemoryCase("memory-unread-4x64MiB", 4, UnreadMebibytes),
            new StartCase("start", Path.Combine(root, "models")),
            new GrainCallsCase("grain-calls", plan),
            Cluster("cluster-small-4x8", server => new GrpcInferCall(server.Grpc, small), 4, 8),
            Cluster("cluster-large-4x2", server => new GrpcInferCall(server.Grpc, large), 4, 2),
            Cluster("cluster-large-4x8", server => new GrpcInferCall(server.Grpc, large), 4, 8),
            new ColdCase("cold"),
            new KillCase("kill"),
            new ManyCase("many", 10_000, 2, plan),
            new ManyCase("vast", 100_000, 1, plan),
            new FleetCase("fleet"),
            new RestartCase("restart", root),
            new HugeCase("huge"),
        ];
    }

    private static List<CompareCase> Chosen(IReadOnlyList<CompareCase> cases, string? only)
    {
        var names = only?.Split(',') ?? [""];
        return names.FirstOrDefault(name => !cases.Any(one => one.Name.StartsWith(name, StringComparison.Ordinal))) is { } unknown
            ? throw new UsageException($"option '--only' does not know '{unknown}'")
            : [.. cases.Where(one => names.Any(name => one.Name.StartsWith(name, StringComparison.Ordinal)))];
    }

    private static async Task<CaseReport> MeasureAsync(
        CompareCase one, RunningBuild first, RunningBuild second, int rounds, CancellationToken cancellationToken)
    {
        // What another kind of case started would take processor time from this one.
        if (one is not (LoadCase or ColdCase))
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
        }

        var prepared = false;
        async Task<Sample> Measure(RunningBuild build)
        {
            if (!prepared)
            {
                prepared = true;
                await one.PrepareAsync(first, cancellationToken);
                await one.PrepareAsync(second, cancellationToken);
            }

            return await one.MeasureAsync(build, cancellationToken);
        }

        return await CaseReport.MeasureAsync(one.Name, Math.Min(rounds, one.MostRounds), () => Measure(first), () => Measure(second));
    }
}
