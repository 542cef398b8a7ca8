namespace Cluster.Bench.Attacks;

/// <summary>A REST request of the client that behaves.</summary>
/// <param name="Expected">Stands in a right answer.</param>
/// <param name="RatePerSecond">0 for the rate of the command line.</param>
internal sealed record BehavedRequest(string Path, string Body, string Expected, int RatePerSecond)
{
    public const string SmallModel = "add_one";
    public const string SlowModel = "slow";

    /// <summary>Three numbers there and back.</summary>
    public static BehavedRequest Small { get; } = new(
        $"/v2/models/{SmallModel}/infer", """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,3],"data":[0.5,1.5,2.5]}]}""", "0.5,1.5,2.5", 0);

    /// <summary>Some 10 ms of multiplications.</summary>
    public static BehavedRequest Slow { get; } = new(
        $"/v2/models/{SlowModel}/infer", """{"inputs":[{"name":"iterations","datatype":"INT64","shape":[1],"data":[50]}]}""", "[1", 10);
}
