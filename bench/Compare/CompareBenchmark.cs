using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Server;
using Cluster.Bench.Silos;

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
        new("base", "DIR", "the other checkout, built in Release; needed"),
        new("rounds", "N", "rounds of each case, each of both builds; default 6"),
        new("seconds", "S", "measured time of a load; default 3"),
        new("warm-up", "S", "time before the first round of a load; default 2"),
        new("only", "A,B", "only cases whose name begins so: " + string.Join(", ", Cases(TimeSpan.Zero, TimeSpan.Zero).Select(static one => one.Name))),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var arguments = context.Arguments;
        var rounds = arguments.Integer("rounds", 6, 1, 100);
        var duration = arguments.Seconds("seconds", 3, 0.1, 600);
        var cases = Chosen(Cases(arguments.Seconds("warm-up", 2, 0.1, 60), duration), arguments.Text("only"));
        var builds = (
            Base: Build.Find("base", arguments.Text("base") ?? throw new UsageException("option '--base' is needed: the other checkout")),
            New: Build.Find("new", context.Root));
        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        using var models = new ModelFolder();
        models.Add("identity", Path.Combine(context.Root, "models/identity/1/model.onnx"));
        models.Add(UnreadMemoryCase.Model, UnreadMemoryCase.ModelFile(UnreadMebibytes));
        await using var one = new RunningBuild(builds.Base, models.Path);
        await using var other = new RunningBuild(builds.New, models.Path);
        var reports = new List<CaseReport>();
        foreach (var each in cases)
        {
            await context.Progress.WriteLineAsync(each.Name);
            reports.Add(await MeasureAsync(each, one, other, rounds, cancellationToken));
        }

        var report = new CompareReport(Name, started, machine, builds.Base, builds.New, rounds, duration.TotalSeconds, reports);
        return new BenchmarkReport(CompareText.Format(report), report, report.Failures);
    }

    private static IReadOnlyList<CompareCase> Cases(TimeSpan warmUp, TimeSpan duration)
    {
        var (small, large) = (Workload.Identity(SmallFloats), Workload.Identity(LargeFloats));
        LoadCase Single(string name, Func<Target, InferCall> create, int connections, int streams) =>
            new(name, static (build, cancelled) => build.SingleAsync(cancelled), create, connections, streams, warmUp, duration);

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
        var measured = new List<(Sample, Sample)>();
        try
        {
            await one.PrepareAsync(first, cancellationToken);
            await one.PrepareAsync(second, cancellationToken);
            while (measured.Count < rounds)
            {
                // A B, B A, A B …: what changes with time meets both alike.
                if (measured.Count % 2 == 0)
                {
                    var before = await one.MeasureAsync(first, cancellationToken);
                    measured.Add((before, await one.MeasureAsync(second, cancellationToken)));
                }
                else
                {
                    var before = await one.MeasureAsync(second, cancellationToken);
                    measured.Add((await one.MeasureAsync(first, cancellationToken), before));
                }
            }

            return CaseReport.Of(one.Name, measured, null);
        }
        catch (Exception error) when (error is InvalidDataException or IOException or HttpRequestException)
        {
            return CaseReport.Of(one.Name, measured, error.Message);
        }
    }
}
