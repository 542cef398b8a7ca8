using Cluster.Bench.Clients;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Overhead;

/// <summary>A model loaded into this process: what serving is compared with, and where expected answers come from.</summary>
internal sealed class InProcessRuntime : IDisposable
{
    private readonly InferenceSession _session;
    private readonly long[] _outputShape;

    /// <exception cref="OnnxRuntimeException">The model does not load or run.</exception>
    public InProcessRuntime(OverheadModel model, string file)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        _session = new InferenceSession(file, options);
        var input = new float[model.Shape.Aggregate(1L, (product, dimension) => product * dimension)];
        for (var i = 0; i < input.Length; i++)
        {
            input[i] = (float)i / input.Length;
        }

        Workload = new InferWorkload(model.Name, _session.InputNames.Single(), model.Shape, input, _session.OutputNames.Single(), []);
        (var expected, _outputShape) = RunOnce(Workload);
        Workload = Workload with { Expected = expected };
    }

    public InferWorkload Workload { get; }

    /// <summary>A worker that calls this session; sessions take calls from many threads.</summary>
    public InProcessWorker CreateWorker() => new(_session, Workload, _outputShape);

    public void Dispose() => _session.Dispose();

    private (float[] Output, long[] Shape) RunOnce(InferWorkload workload)
    {
        using var options = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(workload.Input, workload.Shape);
        using var outputs = _session.Run(options, [workload.InputName], [input], [workload.OutputName]);
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
    }
}
