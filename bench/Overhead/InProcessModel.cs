using Cluster.Bench.Load;
using Cluster.Bench.Ratios;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Overhead;

/// <summary>
/// A model loaded into this process: what serving is compared with. Called in the leanest way that ONNX Runtime's C# API has: input and output pinned
/// once, the output written in place.
/// </summary>
internal sealed class InProcessModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly InferenceSession? _owned;
    private readonly RunOptions _options = new();
    private readonly Workload _workload;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;
    private readonly float[] _output;

    /// <summary>A session of its own, of one thread.</summary>
    /// <exception cref="OnnxRuntimeException">The model does not load or run.</exception>
    public InProcessModel(string file, Workload workload)
        : this(Open(file), workload) => _owned = _session;

    /// <param name="session">May be shared, and stays open on disposal.</param>
    /// <exception cref="OnnxRuntimeException">The model does not run.</exception>
    public InProcessModel(InferenceSession session, Workload workload)
    {
        _session = session;
        workload = workload with { InputName = _session.InputNames.Single(), OutputName = _session.OutputNames.Single() };
        _inputs = [OrtValue.CreateTensorValueFromMemory(workload.Input, workload.Shape)];
        using var outputs = _session.Run(_options, [workload.InputName], _inputs, [workload.OutputName]);
        _workload = workload with { Expected = outputs[0].GetTensorDataAsSpan<float>().ToArray() };
        _output = new float[_workload.Expected.Length];
        _outputs = [OrtValue.CreateTensorValueFromMemory(_output, outputs[0].GetTensorTypeAndShape().Shape)];
    }

    /// <summary>The workload with the names of the model and, as the expected output, what it answered here.</summary>
    public Workload Workload => _workload;

    /// <summary>A closed loop of as many threads as models, each with its own.</summary>
    public static async Task<Sample> MeasureAsync(IReadOnlyList<InProcessModel> models, LoadPlan plan, CancellationToken cancellationToken)
    {
        var load = await ClosedLoop.RunAsync(
            models.Count,
            caller =>
            {
                models[caller].Run();
                return default;
            },
            plan,
            [],
            cancellationToken);
        foreach (var model in models)
        {
            model.Check();
        }

        return Sample.Of(load);
    }

    /// <summary>From one thread at a time.</summary>
    public void Run() => _session.Run(_options, [_workload.InputName], _inputs, [_workload.OutputName], _outputs);

    /// <exception cref="InvalidDataException">The last run gave another output than the first.</exception>
    public void Check() => _workload.Check(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(_output));

    public void Dispose()
    {
        _inputs[0].Dispose();
        _outputs[0].Dispose();
        _options.Dispose();
        _owned?.Dispose();
    }

    private static InferenceSession Open(string file)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        return new InferenceSession(file, options);
    }
}
