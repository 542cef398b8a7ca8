using Cluster.Bench.Load;
using Cluster.Bench.Server;

namespace Cluster.Bench.Overhead;

/// <summary>A request that is measured.</summary>
/// <param name="Name">On the command line and in the report.</param>
/// <param name="File">The model's, relative to the repository's root.</param>
/// <param name="Saturating">Requests in flight that keep the machine busy.</param>
/// <param name="Workload">Names and expected output are those of an identity; <see cref="InProcessModel"/> knows the model's own.</param>
internal sealed record OverheadModel(string Name, string File, int Saturating, Workload Workload)
{
    private const int PictureFloats = 3 * 224 * 224;

    /// <summary>How far an answer may lie from ours: kernels may add in another order.</summary>
    private const float Tolerance = 1e-4f;

    public static IReadOnlyList<OverheadModel> All { get; } =
    [
        new("small", ModelFolder.IdentityFile, 32, Workload.Identity(16)),
        new("large", ModelFolder.IdentityFile, 8, Workload.Identity(153_600)),
        new("squeezenet", "../shared/models/light_squeezenet.onnx", 8, Picture()),
    ];

    private static Workload Picture() => Workload.Identity(PictureFloats) with
    {
        Model = "light_squeezenet",
        Shape = [1, 3, 224, 224],
        Tolerance = Tolerance,
    };
}
