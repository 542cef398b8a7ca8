using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.OpenVino;

/// <summary>Has OpenVINO compile and run a graph of one operation. Only that shows that every library is there: they load each other when they are first needed.</summary>
internal static class OpenVinoTrial
{
    private const string Input = "X";
    private const string Output = "Y";

    /// <summary>An ONNX model: Y = Relu(X), both FP32 [1].</summary>
    private static ReadOnlySpan<byte> Graph =>
        "\b\b:3\n\f\n\u0001X\u0012\u0001Y\"\u0004Relu\u0012\u0001gZ\u000f\n\u0001X\u0012\n\n\b\b\u0001\u0012\u0004\n\u0002\b\u0001b\u000f\n\u0001Y\u0012\n\n\b\b\u0001\u0012\u0004\n\u0002\b\u0001B\u0004\n\0\u0010\u0011"u8;

    /// <exception cref="OnnxRuntimeException">It does not run; the reason may be in ONNX Runtime's log alone.</exception>
    public static void Run(Action<SessionOptions> append)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
        append(options);
        using var session = new InferenceSession(Graph.ToArray(), options);
        using var run = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(new[] { -1f }, [1]);
        using var outputs = session.Run(run, [Input], [input], [Output]);
    }
}
