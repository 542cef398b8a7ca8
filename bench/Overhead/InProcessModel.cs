using Cluster.Bench.Load;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Overhead;

/// <summary>
/// A model loaded into this process: what serving is compared with. Called in the leanest way that ONNX Runtime's C# API has: input and output pinned
/// once, the output written in place.
/// </summary>
internal sealed class InProcessModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly Workload _workload;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;
    private readonly float[] _output;

    /// <exception cref="OnnxRuntimeException">The model does not load or run.</exception>
    public InProcessModel(string file, Workload workload)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        _session = new InferenceSession(file, options);
        workload = workload with { InputName = _session.InputNames.Single(), OutputName = _session.OutputNames.Single() };
        _inputs = [OrtValue.CreateTensorValueFromMemory(workload.Input, workload.Shape)];
        using var outputs = _session.Run(_options, [workload.InputName], _inputs, [workload.OutputName]);
        _workload = workload with { Expected = outputs[0].GetTensorDataAsSpan<float>().ToArray() };
        _output = new float[_workload.Expected.Length];
        _outputs = [OrtValue.CreateTensorValueFromMemory(_output, outputs[0].GetTensorTypeAndShape().Shape)];
    }

    /// <summary>The workload with the names of the model and, as the expected output, what it answered here.</summary>
    public Workload Workload => _workload;

    /// <summary>From one thread at a time.</summary>
    public void Run() => _session.Run(_options, [_workload.InputName], _inputs, [_workload.OutputName], _outputs);

    /// <exception cref="InvalidDataException">The last run gave another output than the first.</exception>
    public void Check() => _workload.Check(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(_output));

    public void Dispose()
    {
        _inputs[0].Dispose();
        _outputs[0].Dispose();
        _options.Dispose();
        _session.Dispose();
    }
}
