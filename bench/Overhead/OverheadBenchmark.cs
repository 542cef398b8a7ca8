using System.Globalization;
using System.Net;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Overhead;

/// <summary>What a model costs through the server, compared with ONNX Runtime called in this process.</summary>
internal sealed class OverheadBenchmark : IBenchmark
{
    /// <summary>Threads in process that saturation is compared with.</summary>
    private const int SaturatingThreads = 2;

    private const string Grpc = "gRPC";
    private static readonly string[] Protocols = [Grpc, "REST"];

    public string Name => "overhead";

    public string Summary => "gRPC and REST against ONNX Runtime in process: requests/s, latency, CPU a request, and their ratios";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("seconds", "N", "measured time of a load; default 3"),
        new("warm-up", "N", "time before that; default 1.5"),
        new("rounds", "N", "measurements of each load; default 2"),
        new("models", "A,B", "only these of " + string.Join(", ", OverheadModel.All.Select(static model => model.Name))),
        new("grpc", "IP:PORT", "measures a server that runs already; needs --http and --pid too"),
        new("http", "IP:PORT", "of that server"),
        new("pid", "N", "of that server's process"),
        new("silo", "FILE", "the server to start; default silo/bin/Release/net10.0/publish/cluster-silo"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var arguments = context.Arguments;
        var plan = new LoadPlan(arguments.Seconds("warm-up", 1.5, 0.1, 60), arguments.Seconds("seconds", 3, 0.1, 600));
        var rounds = arguments.Integer("rounds", 2, 1, 100);
        var chosen = arguments.Text("models") is { } names ? [.. names.Split(',').Select(Find)] : OverheadModel.All;
        var given = Given(arguments);
        var silo = Path.GetFullPath(arguments.Text("silo") ?? Path.Combine(context.Root, "silo/bin/Release/net10.0/publish/cluster-silo"));
        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        var models = chosen.Select(model => (Model: model, File: Path.GetFullPath(Path.Combine(context.Root, model.File)))).Where(static pair => File.Exists(pair.File)).ToList();
        using var folder = new ModelFolder();
        foreach (var (model, file) in models.DistinctBy(static pair => pair.Model.Workload.Model))
        {
            folder.Add(model.Workload.Model, await File.ReadAllBytesAsync(file, cancellationToken));
        }

        await using var process = given is null ? await ServerProcess.StartAsync(silo, folder.Path, cancellationToken) : null;
        var server = given ?? process!.Target;
        var cases = new List<CaseReport>();
        foreach (var (model, file) in models)
        {
            cases.AddRange(await MeasureAsync(model, file, server, rounds, plan, context.Progress, cancellationToken));
        }

        string[] notes =
        [
            "in process: one session and one thread a call in flight; its CPU is that of this process, for gRPC and REST that of the server",
            "Client and server share the cores, so requests/s depend on both.",
            .. chosen.Except(models.Select(static pair => pair.Model)).Select(static model => $"{model.Name} is skipped: there is no {model.File} beside this checkout"),
        ];
        return new RatioReport(Name, started, machine, "in process", "served", notes, cases).ToReport();
    }

    private static OverheadModel Find(string name) =>
        OverheadModel.All.FirstOrDefault(model => model.Name == name) ?? throw new UsageException($"option '--models' does not know '{name}'");

    private static Target? Given(BenchArguments arguments)
    {
        var (grpc, http, pid) = (arguments.Text("grpc"), arguments.Text("http"), arguments.Integer("pid", 0, 1, int.MaxValue));
        if (grpc is null && http is null && pid == 0)
        {
            return null;
        }

        return IPEndPoint.TryParse(grpc ?? "", out var calls) && IPEndPoint.TryParse(http ?? "", out var rest) && Directory.Exists($"/proc/{pid}")
            ? new Target(calls, rest, [pid])
            : throw new UsageException("options '--grpc' and '--http' take IP:PORT, and '--pid' the id of a process; all three are needed");
    }

    private static async Task<List<CaseReport>> MeasureAsync(
        OverheadModel model, string file, Target server, int rounds, LoadPlan plan, TextWriter progress, CancellationToken cancellationToken)
    {
        var cases = new List<CaseReport>();
        try
        {
            var sessions = Enumerable.Range(0, SaturatingThreads).Select(_ => new InProcessModel(file, model.Workload)).ToList();
            foreach (var (protocol, inFlight) in from protocol in Protocols from inFlight in new[] { 1, model.Saturating } select (protocol, inFlight))
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{model.Name} {protocol} x {inFlight}");
                await progress.WriteLineAsync(name);
                using InferCall call = protocol == Grpc
                    ? new GrpcInferCall(server.Grpc, sessions[0].Workload)
                    : new RestInferCall(server.Http, sessions[0].Workload, binary: true);
                cases.Add(await CaseReport.MeasureAsync(
                    name,
                    rounds,
                    () => InProcessModel.MeasureAsync(inFlight == 1 ? sessions[..1] : sessions, plan, cancellationToken),
                    async () => Sample.Of(await CheckedLoad.RunAsync(call, LoadShape.Of(call, inFlight), plan, server.Processes, cancellationToken))));
            }

            sessions.ForEach(static session => session.Dispose());
            return cases;
        }
        catch (OnnxRuntimeException error)
        {
            throw new BenchmarkException($"{model.File} does not run in process: {error.Message}");
        }
    }
}
