using System.Diagnostics;
using Cluster.Bench.Clients;
using Cluster.Bench.Measurement;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Overhead;

/// <summary>
/// Calls ONNX Runtime in a loop in the leanest way its C# API has: input and output pinned once, the output written in place.
/// </summary>
internal sealed class InProcessWorker : ILoadWorker
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly string[] _inputNames;
    private readonly string[] _outputNames;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;
    private readonly float[] _output;
    private readonly float[] _expected;

    public InProcessWorker(InferenceSession session, InferWorkload workload, long[] outputShape)
    {
        _session = session;
        _inputNames = [workload.InputName];
        _outputNames = [workload.OutputName];
        _inputs = [OrtValue.CreateTensorValueFromMemory(workload.Input, workload.Shape)];
        _expected = workload.Expected;
        _output = new float[_expected.Length];
        _outputs = [OrtValue.CreateTensorValueFromMemory(_output, outputShape)];
    }

    /// <inheritdoc/>
    public void Run(LoadRecorder recorder)
    {
        do
        {
            var start = Stopwatch.GetTimestamp();
            _session.Run(_options, _inputNames, _inputs, _outputNames, _outputs);
            recorder.Complete(start);
        }
        while (!recorder.Stopped);

        if (!_output.AsSpan().SequenceEqual(_expected))
        {
            throw new InvalidDataException("the model gave another output in the loop than at first");
        }
    }

    public void Dispose()
    {
        _inputs[0].Dispose();
        _outputs[0].Dispose();
        _options.Dispose();
    }
}
