using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Overhead;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;
using Cluster.Grains.OpenVino;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.OpenVino;

/// <summary>Both providers beside each other in one server, OpenVINO called in this process beside the server, and what loading takes.</summary>
internal sealed class OpenVinoBenchmark : IBenchmark
{
    private static readonly int[] Callers = [1, 4, 16];

    public string Name => "openvino";

    public string Summary => "models on the CPU provider and on OpenVINO: rates, latencies, loading and memory; and OpenVINO in process against served";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("openvino", "DIR", "OpenVINO with an ONNX Runtime built in, as deploy/openvino/install.sh unpacks it; required"),
        new("models", "A,B", "only these of squeezenet, resnet50, mnist, which lie in ../shared/models, and of the int8 forms squeezenet-int8, resnet50-int8"),
        new("model", "FILE", "one more model: one FP32 input, one FP32 output"),
        new("client-cpus", "LIST", "processors of the load generator alone, such as 1 or 4-7; run by 'taskset -c' with the others. Without it all are shared"),
        new("seconds", "N", "measured time of a load; default 3"),
        new("warm-up", "N", "time before that; default 1"),
        new("rounds", "N", "measurements of each load; default 3"),
        new("loads", "N", "loads of each model; default 5, 0 measures no loading"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var arguments = context.Arguments;
        var folder = arguments.Text("openvino") ?? throw new UsageException("name OpenVINO's folder by '--openvino'");
        var plan = new LoadPlan(arguments.Seconds("warm-up", 1, 0.1, 60), arguments.Seconds("seconds", 3, 0.1, 600));
        var (rounds, loads) = (arguments.Integer("rounds", 3, 1, 100), arguments.Integer("loads", 5, 0, 100));
        var chosen = Chosen(context.Root, arguments);
        var clientProcessors = arguments.Text("client-cpus");
        var silo = Path.Combine(context.Root, "silo/bin/Release/net10.0/publish/cluster-silo");

        // Before the first call into ONNX Runtime, which the report's head is.
        if (OpenVinoRuntime.Prepare(folder).Kind != OpenVinoKind.BuiltIn)
        {
            throw new UsageException("option '--openvino' takes a folder with ONNX Runtime built in");
        }

        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        using var made = new ModelFolder();
        var notes = new List<string>();
        var models = chosen.ConvertAll(model => model.MadeIn(made.Path, notes));
        models.RemoveAll(model => Refusal(model) is { } reason && Told(notes, $"OpenVINO does not take {model.Name} on this processor: {reason}"));
        var loading = new List<LoadingFigures>();
        foreach (var model in loads > 0 ? models : [])
        {
            loading.AddRange(await LoadingFigures.MeasureAsync(model, silo, folder, loads, context.Progress, cancellationToken));
        }

        using var served = new ModelFolder();
        foreach (var model in models)
        {
            foreach (var provider in new[] { OpenVinoModel.Cpu, OpenVinoModel.OpenVino })
            {
                served.Add(model.ServedBy(provider), await File.ReadAllBytesAsync(model.File, cancellationToken), OpenVinoModel.Settings(provider));
            }
        }

        await using var server = await ServerProcess.StartAsync(silo, served.Path, cancellationToken, "--openvino", folder);
        var providers = new List<CaseReport>();
        var overhead = new List<CaseReport>();
        foreach (var model in models)
        {
            using var session = model.Open(OpenVinoModel.OpenVino);
            using var cpu = model.Open(OpenVinoModel.Cpu);
            using var onCpu = new InProcessModel(cpu, model.WorkloadOf(cpu));
            List<InProcessModel> inProcess = [.. Enumerable.Range(0, OpenVinoModel.Streams).Select(_ => new InProcessModel(session, model.WorkloadOf(session)))];
            foreach (var callers in Callers)
            {
                var name = FormattableString.Invariant($"{model.Name} x {callers}");
                await context.Progress.WriteLineAsync(name);

                // Providers are checked against themselves: kernels add in another order, and a softmax of large numbers makes much of that.
                Task<Sample> ServedAsync(string provider) => MeasureAsync(
                    server, (provider == OpenVinoModel.Cpu ? onCpu : inProcess[0]).Workload with { Model = model.ServedBy(provider) }, callers, clientProcessors, plan, cancellationToken);
                providers.Add(await CaseReport.MeasureAsync(name, rounds, () => ServedAsync(OpenVinoModel.Cpu), () => ServedAsync(OpenVinoModel.OpenVino)));
                overhead.Add(await CaseReport.MeasureAsync(
                    name, rounds, () => InProcessAsync(inProcess[..Math.Min(callers, inProcess.Count)], plan, cancellationToken), () => ServedAsync(OpenVinoModel.OpenVino)));
            }

            inProcess.ForEach(static one => one.Dispose());
        }

        if (clientProcessors is not null)
        {
            notes.Add($"the load generator has processors {clientProcessors} for itself");
        }

        return new OpenVinoReport(Name, started, machine, OrtEnv.Instance().GetVersionString(), notes, loading, providers, overhead).ToReport();
    }

    private static async Task<Sample> MeasureAsync(
        ServerProcess server, Workload workload, int callers, string? clientProcessors, LoadPlan plan, CancellationToken cancellationToken)
    {
        using var call = new GrpcInferCall(server.Grpc, workload);
        var load = await CheckedLoad.RunAsync(call, LoadShape.Of(call, callers) with { Processors = clientProcessors }, plan, server.Target.Processes, cancellationToken);
        return WithAll(Sample.Of(load), load.AllCpuMicros);
    }

    private static async Task<Sample> InProcessAsync(IReadOnlyList<InProcessModel> models, LoadPlan plan, CancellationToken cancellationToken)
    {
        var sample = await InProcessModel.MeasureAsync(models, plan, cancellationToken);
        return WithAll(sample, sample.Figures.Single(static figure => figure.Name == Sample.Cpu).Value);
    }

    private static Sample WithAll(Sample sample, double micros) => sample with { Figures = [.. sample.Figures, new Figure("CPU µs with client", micros)] };

    /// <summary>Why OpenVINO does not take a model; null where it does.</summary>
    private static string? Refusal(OpenVinoModel model)
    {
        try
        {
            model.Open(OpenVinoModel.OpenVino).Dispose();
            return null;
        }
        catch (OnnxRuntimeException exception)
        {
            return exception.Message.ReplaceLineEndings(" ").TrimEnd();
        }
    }

    private static bool Told(List<string> notes, string note)
    {
        notes.Add(note);
        return true;
    }

    private static List<OpenVinoModel> Chosen(string root, BenchArguments arguments)
    {
        var shared = OpenVinoModel.Shared(root);
        var names = arguments.Text("models")?.Split(',') ?? [.. shared.Select(static model => model.Name)];
        List<OpenVinoModel> chosen =
        [
            .. names.Select(name => shared.FirstOrDefault(model => model.Name == name) ?? throw new UsageException($"option '--models': there is no '{name}' beside this checkout")),
        ];
        if (arguments.Text("model") is { } file)
        {
            chosen.Add(new OpenVinoModel(Path.GetFileNameWithoutExtension(file), Path.GetFullPath(file)));
        }

        return chosen.Count > 0 ? chosen : throw new BenchmarkException("there is no model to measure: name one by '--model'");
    }
}
