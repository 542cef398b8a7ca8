using System.Globalization;
using Cluster.Conformance.RealModels;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.OpenVino;

/// <summary>
/// Real graphs on real OpenVINO. That a model with <c>openvino</c> is loaded proves that OpenVINO runs its whole graph: ONNX Runtime refuses a session with
/// <c>session.disable_cpu_ep_fallback</c> whose nodes it would run itself.
/// </summary>
public sealed class OpenVinoTests(OpenVinoServer server, ITestOutputHelper output) : IClassFixture<OpenVinoServer>
{
    private const double Tolerance = 1e-5;

    [Theory]
    [InlineData("squeezenet_logits")]
    [InlineData("light_resnet50")]
    [InlineData("mnist")]
    [InlineData("digits")]
    public async Task Infer_OnOpenVino_GivesTheCpuProvidersAnswer(string model)
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        Assert.Equal("openvino", (await server.MetadataAsync(model)).Properties["execution_provider"]);
        Assert.Equal("CPU", await server.ParameterAsync(model, "device"));
        Assert.Equal("cpu", (await server.MetadataAsync(model + "_cpu")).Properties["execution_provider"]);
        var input = await server.InputAsync(model);

        foreach (var (name, client) in server.Clients)
        {
            var expected = (await client.InferAsync(model + "_cpu", [input]))[0].ToFloats();
            var actual = (await client.InferAsync(model, [input]))[0].ToFloats();

            // Relative to the largest: a probability of 1e-12 has no five digits that two orders of addition agree on.
            var difference = Differences.Absolute(expected, actual) / expected.Max(Math.Abs);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}, {name}: largest difference {difference:g3}"));
            Assert.InRange(difference, 0, Tolerance);
        }
    }

    [Fact]
    public async Task Load_GraphThatOpenVinoDoesNotTake_FailsWithItsReason()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        var (state, reason) = await server.RowAsync("silero_vad");

        Assert.Equal("UNAVAILABLE", state);
        Assert.StartsWith("OpenVINO does not take the graph: ", reason, StringComparison.Ordinal);
        Assert.Contains("CPU plug-in doesn't support Parameter operation with dynamic rank", reason, StringComparison.Ordinal);
        Assert.DoesNotContain(".cpp", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("/src/", reason, StringComparison.Ordinal);
        Assert.Contains("dynamic rank", await server.WhyNotReadyAsync("silero_vad"), StringComparison.Ordinal);
        Assert.Contains("dynamic rank", await server.WhyNotLoadedAsync("silero_vad"), StringComparison.Ordinal);
        foreach (var (_, client) in server.Clients)
        {
            var refusal = await Assert.ThrowsAnyAsync<Exception>(() => client.InferAsync("silero_vad", [RawTensor.Fp32("input", [1], [0f])]));
            Assert.Contains("dynamic rank", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Load_AutoOnSuchAGraph_ServesOnTheCpuAndSaysWhy()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        Assert.Equal("READY", (await server.RowAsync("silero_auto")).State);
        Assert.Equal("cpu", await server.ParameterAsync("silero_auto", "execution_provider"));
        Assert.Contains("dynamic rank", await server.ParameterAsync("silero_auto", "execution_provider_reason"), StringComparison.Ordinal);
        Assert.Contains("runs on the CPU provider: OpenVINO does not take the graph", await server.GetAsync("/v2/cluster"), StringComparison.Ordinal);
        Assert.Single(server.Server.Output.Split('\n'), static line => line.Contains("[2103]", StringComparison.Ordinal) && line.Contains("silero_auto", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Load_AutoOnAnOrdinaryGraph_ServesOnOpenVino()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        Assert.Equal("openvino", await server.ParameterAsync("mnist_auto", "execution_provider"));
        Assert.Null(await server.ParameterAsync("mnist_auto", "execution_provider_reason"));
    }

    [Fact]
    public async Task Infer_OtherBatchesAndBack_AnswersEach()
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        foreach (var rows in new[] { 1, 3, 8, 1 })
        {
            float[] values = [.. Enumerable.Range(0, rows * 4).Select(static number => (float)number)];
            foreach (var (_, client) in server.Clients)
            {
                var sums = (await client.InferAsync("batchy", [RawTensor.Fp32("INPUT0", [rows, 4], values)]))[0];

                Assert.Equal([rows], sums.Shape);
                Assert.Equal([.. values.Chunk(4).Select(static row => row.Sum())], sums.ToFloats());
            }
        }
    }

    /// <summary>The server's own allocator, and its way to refuse a block, in the other ONNX Runtime.</summary>
    [Fact]
    public async Task Infer_MoreMemoryThanTheModelMayTake_IsRefusedAndTheNextOneRuns()
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        foreach (var (_, client) in server.Clients)
        {
            var refusal = await Assert.ThrowsAnyAsync<Exception>(() => client.InferAsync("hungry", [RawTensor.Fp32("X", [1], [900_000_000f])]));

            Assert.Contains("and asked for 3600000000 more. One run may take 67108864", refusal.Message, StringComparison.Ordinal);
            var next = await client.InferAsync("hungry", [RawTensor.Fp32("X", [1], [0f])]);
            Assert.Equal([5f], next[0].ToFloats());
        }
    }

    [Fact]
    public async Task Versions_OfBothLibraries_AreShown()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        Assert.Contains("ONNX Runtime 1.24.1 with OpenVINO 2025.4.1 on CPU", server.Server.Output, StringComparison.Ordinal);
        Assert.Contains("\"runtime\":\"1.24.1 with OpenVINO 2025.4.1 on CPU\"", await server.GetAsync("/v2/cluster"), StringComparison.Ordinal);
        Assert.Contains("\"runtimes\":[\"1.24.1 with OpenVINO 2025.4.1 on CPU\"]", await server.GetAsync("/v2"), StringComparison.Ordinal);
        var metrics = await server.GetAsync("/metrics");
        Assert.Contains("cluster_runtime{onnxruntime=\"1.24.1\",openvino=\"2025.4.1\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("cluster_copies{name=\"mnist\",provider=\"openvino\",version=\"1\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("cluster_copies{name=\"mnist_cpu\",provider=\"cpu\",version=\"1\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("\"execution_provider\":\"openvino\"", await server.GetAsync("/v2/models/mnist/stats"), StringComparison.Ordinal);
    }
}
