using System.Globalization;
using Cluster.Conformance.RealModels;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.OpenVino;

/// <summary>Options reach OpenVINO, which takes each of them, and shows of some what they do.</summary>
public sealed class OptionTests(OpenVinoServer server, ITestOutputHelper output) : IClassFixture<OpenVinoServer>
{
    /// <summary>Models of one graph and what their options add to <c>cache</c>.</summary>
    internal static readonly (string Name, string Options)[] Cached =
    [
        ("cached", ""),
        ("streams", """, "streams": 3, "threads": 2"""),
        ("threads", """, "streams": 2, "threads": 1"""),
        ("bf16", """, "precision": "bf16" """),
        ("f16", """, "precision": "f16" """),
        ("configured", """, "config": {"CPU": {"SNIPPETS_MODE": "DISABLE"}}"""),
    ];

    [Fact]
    public async Task Load_WithCache_KeepsTheCompiledGraphOfEachSettings()
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        foreach (var (name, _) in Cached)
        {
            var (state, reason) = await server.RowAsync(name);
            Assert.True(state == "READY", $"{name}: {state} {reason}");
        }

        // One folder a model and its settings: OpenVINO names a blob by the graph alone, not by its precision.
        var folders = Directory.GetDirectories(server.Cache);
        Assert.Equal(Cached.Length, folders.Length);
        Assert.All(folders, static folder => Assert.Single(Directory.EnumerateFiles(folder, "*.blob")));
    }

    [Fact]
    public async Task Load_Streams_AreTheRequestsAtOnce()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        Assert.Contains("ovms_streams{name=\"streams\",version=\"1\"} 3", await server.GetAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_InBf16_IsLessExactWhereTheProcessorHasIt()
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        var flags = await File.ReadAllTextAsync("/proc/cpuinfo");
        Assert.SkipUnless(flags.Contains("avx512_bf16", StringComparison.Ordinal) || flags.Contains("amx_bf16", StringComparison.Ordinal), "this processor has no bfloat16");
        var input = await server.InputAsync("squeezenet_logits");
        var client = server.Clients[0].Client;
        var expected = (await client.InferAsync("squeezenet_logits_cpu", [input]))[0].ToFloats();

        var difference = Differences.Absolute(expected, (await client.InferAsync("squeezenet_bf16", [input]))[0].ToFloats()) / expected.Max(Math.Abs);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"largest difference {difference:g3}"));
        Assert.InRange(difference, 1e-4, 0.2);
    }

    [Theory]
    [InlineData("wrong_config", "NO_SUCH_PROPERTY")]
    public async Task Load_PropertyThatOpenVinoDoesNotKnow_FailsWithItsName(string model, string expected)
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        var (state, reason) = await server.RowAsync(model);

        Assert.Equal("UNAVAILABLE", state);
        Assert.Contains(expected, reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_DeviceThatNoSiloHas_SaysSoAndIsAnsweredWith503()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        Assert.EndsWith("of 1 there are 1 without OpenVINO's device 'GPU'", (await server.RowAsync("wrong_device")).Reason, StringComparison.Ordinal);
        var overGrpc = await Assert.ThrowsAnyAsync<Exception>(() => server.Clients[0].Client.InferAsync("wrong_device", [RawTensor.Fp32("Input3", [1], [0f])]));
        Assert.Contains("FailedPrecondition", overGrpc.Message, StringComparison.OrdinalIgnoreCase);
        using var http = new HttpClient { BaseAddress = new Uri(server.Server.HttpUrl) };
        using var answer = await http.PostAsync(new Uri("/v2/models/wrong_device/infer", UriKind.Relative), new StringContent("""{"inputs":[{"name":"Input3","shape":[1],"datatype":"FP32","data":[0]}]}"""));
        Assert.Equal(503, (int)answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }
}
