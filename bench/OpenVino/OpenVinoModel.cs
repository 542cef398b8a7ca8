using System.Text.Json;
using Cluster.Bench.Load;
using Cluster.Bench.Overhead;
using Cluster.Contracts.Models;
using Cluster.Grains.OpenVino;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.OpenVino;

/// <summary>A model that both providers run, with as many streams or slots as the machine has processors, and one thread each.</summary>
/// <param name="File">The model's, absolute.</param>
/// <param name="IsInt8">Measured in the int8 form that is made of the file.</param>
internal sealed record OpenVinoModel(string Name, string File, bool IsInt8 = false)
{
    public const string Cpu = "cpu";
    public const string OpenVino = "openvino";

    /// <summary>How far an answer may lie from that of the same provider in process.</summary>
    private const float Tolerance = 1e-4f;

    private static readonly (string Name, string File, bool IsInt8)[] SharedFiles =
    [
        ("squeezenet", "light_squeezenet.onnx", false),
        ("squeezenet-int8", "light_squeezenet.onnx", true),
        ("resnet50", "light_resnet50.onnx", false),
        ("resnet50-int8", "light_resnet50.onnx", true),
        ("mnist", "mnist.onnx", false),
    ];

    /// <summary>The requests that run at once.</summary>
    public static int Streams => Environment.ProcessorCount;

    /// <summary>The real models beside a checkout; those that are missing are left out.</summary>
    public static IReadOnlyList<OpenVinoModel> Shared(string root) =>
    [
        .. SharedFiles.Select(one => new OpenVinoModel(one.Name, Path.GetFullPath(Path.Combine(root, "../shared/models", one.File)), one.IsInt8))
            .Where(static model => System.IO.File.Exists(model.File)),
    ];

    /// <summary>The model whose file is what is measured.</summary>
    /// <param name="folder">For files that are made.</param>
    /// <param name="notes">Gets how far the answers of a file that was made are from those of the one that it was made of.</param>
    /// <exception cref="OnnxRuntimeException">The model does not load or run.</exception>
    public OpenVinoModel MadeIn(string folder, List<string> notes)
    {
        if (!IsInt8)
        {
            return this;
        }

        using var session = Open(Cpu);
        var workload = WorkloadOf(session);
        var made = new OpenVinoModel(Name, Path.Combine(folder, Name + ".onnx"));
        Int8Model.Write(File, workload, made.File);
        using var whole = new InProcessModel(session, workload);
        using var madeSession = made.Open(Cpu);
        using var small = new InProcessModel(madeSession, workload);
        var expected = whole.Workload.Expected;
        var difference = expected.Zip(small.Workload.Expected, static (one, other) => Math.Abs(one - other)).Max() / expected.Max(Math.Abs);
        notes.Add(FormattableString.Invariant($"{Name} is made of {Path.GetFileName(File)}: its answer differs by at most {100 * difference:0.0} % of the largest number in that"));
        return made;
    }

    /// <summary>The name under which a provider serves it.</summary>
    public string ServedBy(string provider) => $"{Name}-{provider}";

    /// <summary><c>model.json</c> for a provider.</summary>
    public static string Settings(string provider, bool isCached = false) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["execution_provider"] = provider,
        ["performance_hint"] = "throughput",
        ["concurrency"] = Streams,
        ["intra_op_threads"] = 1,
        ["provider_options"] = isCached ? new Dictionary<string, bool> { ["cache"] = true } : [],
    });

    /// <summary>A session of this process, with the options that the server gives a provider.</summary>
    /// <exception cref="OnnxRuntimeException">OpenVINO refuses the graph.</exception>
    public InferenceSession Open(string provider)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (provider == OpenVino)
        {
            options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
            options.AppendExecutionProvider("OpenVINO", OpenVinoSettings.Provider(ProviderSettings.Default, Streams, Streams, cache: null));
        }

        return new InferenceSession(File, options);
    }

    /// <summary>The workload for the model's one input, with numbers from 0 to 1, the same each time; a size that requests choose is 1.</summary>
    public Workload WorkloadOf(InferenceSession session)
    {
        var (name, input) = session.InputMetadata.Single();
        long[] shape = [.. input.Dimensions.Select(static size => Math.Max(1L, size))];
        var random = new Random(1);
        var values = new float[shape.Aggregate(1L, static (product, size) => product * size)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle();
        }

        return new Workload(Name, name, shape, values, "", [], Tolerance);
    }
}
