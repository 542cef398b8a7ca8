using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.OpenVino;

/// <summary>Silos with OpenVINO beside one without. A cluster of its own: models and silos are not those of the shared ones.</summary>
public sealed class MixedClusterTests(ITestOutputHelper output)
{
    private const string Model = "mnist";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly RawTensor Image = RawTensor.Fp32("Input3", [1, 1, 28, 28], new float[28 * 28]);

    [Fact]
    public async Task SiloWithOpenVino_JoinsAndIsKilled_ModelFollows()
    {
        Requires.Redis();
        Requires.NoLack(OpenVinoWheel.Lack);
        var openVino = await OpenVinoWheel.BuiltInAsync();
        await using var cluster = await TestCluster.StartAsync(new ClusterSetup { Silos = 1, Gateways = 1, Capacity = "1GiB" }, output.WriteLine, static cluster =>
        {
            cluster.Models.AddVersion(Model, 1, Path.Combine(TestPaths.SharedModels!, Model + ".onnx"));
            File.WriteAllText(Path.Combine(cluster.Models.Path, Model, "model.json"), """{"execution_provider": "openvino"}""");
        });
        using var client = new GrpcInferClient(cluster.GrpcTargets[0]);

        // No silo can hold it: the state and the answer say so.
        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => client.InferAsync(Model, [Image]));
        Assert.Contains("FailedPrecondition", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("of 1 there are 1 without OpenVINO", refusal.Message, StringComparison.Ordinal);

        // It is loaded by itself where it can be.
        var first = await cluster.AddSiloAsync(openVino: openVino);
        var waited = await cluster.UntilAsync(async () => (await cluster.ViewAsync()).ReplicasOn(first.Silo, [Model]) == 1, Patience);
        output.WriteLine($"loaded {waited.TotalSeconds:0.0} s after the silo with OpenVINO came");
        Assert.Single(await client.InferAsync(Model, [Image]));

        // Killed under load: the other one with OpenVINO takes it, and no request fails.
        var second = await cluster.AddSiloAsync(openVino: openVino);
        using var ends = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 4).Select(_ => AskAsync()).ToList();
        await first.KillAsync();
        await cluster.UntilAsync(async () => (await cluster.ViewAsync()).ReplicasOn(second.Silo, [Model]) == 1, Patience);
        await ends.CancelAsync();
        var counts = await Task.WhenAll(callers).Soon();
        output.WriteLine($"{counts.Sum()} answers");
        Assert.All(counts, static count => Assert.True(count > 0));

        async Task<int> AskAsync()
        {
            var count = 0;
            for (; !ends.IsCancellationRequested; count++)
            {
                Assert.Single(await client.InferAsync(Model, [Image]));
            }

            return count;
        }
    }
}
