namespace Cluster.Bench.Overhead;

/// <summary>A model that is measured.</summary>
/// <param name="Name">Under which the server is asked for it.</param>
/// <param name="File">Relative to the repository's root.</param>
/// <param name="Shape">Of its only input.</param>
/// <param name="Saturating">Requests in flight that keep the machine busy.</param>
/// <param name="Identity">Whether its answer is its input.</param>
/// <param name="Note">What it stands for.</param>
internal sealed record OverheadModel(string Name, string File, long[] Shape, int Saturating, bool Identity, string Note)
{
    public static IReadOnlyList<OverheadModel> All { get; } =
    [
        new("identity", "models/identity/1/model.onnx", [1, 16], 32, true, "16 floats each way: the server is all there is"),
        new("big_fp32", "tests/models/big_fp32/1/model.onnx", [153_600], 8, true, "600 KB each way: moving bytes"),
        new("light_squeezenet", "../shared/models/light_squeezenet.onnx", [1, 3, 224, 224], 8, false, "a real convolution network, 602 KB in, 4 KB out"),
    ];
}
