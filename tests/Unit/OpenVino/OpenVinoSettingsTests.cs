using Cluster.Contracts.Models;
using Cluster.Grains.OpenVino;
using Xunit;

namespace Cluster.Unit.OpenVino;

public sealed class OpenVinoSettingsTests
{
    [Theory]
    [InlineData(0, 0, 8, 1, 8, 8, 8)]
    [InlineData(0, 0, 2, 3, 8, 2, 6)]
    [InlineData(0, 0, 4, 4, 8, 4, 8)]
    [InlineData(3, 0, 8, 1, 8, 3, 3)]
    [InlineData(3, 12, 8, 1, 8, 3, 12)]
    public void Derive_OptionsAndParallelism_GivesStreamsAndThreads(
        int streams, int threads, int concurrency, int intraOp, int cores, int expectedStreams, int expectedThreads) =>
        Assert.Equal((expectedStreams, expectedThreads), OpenVinoSettings.Derive(new ProviderSettings { Streams = streams, Threads = threads }, concurrency, intraOp, cores));

    [Fact]
    public void Provider_Defaults_ComputeIn32Bits() => Assert.Equal(
        new Dictionary<string, string>
        {
            ["device_type"] = "CPU",
            ["num_streams"] = "2",
            ["num_of_threads"] = "4",
            ["load_config"] = """{"CPU":{"INFERENCE_PRECISION_HINT":"f32","CACHE_DIR":""}}""",
        },
        OpenVinoSettings.Provider(ProviderSettings.Default, 2, 4, cache: null));

    [Fact]
    public void Provider_OwnProperties_WinAndKeepTheOthers()
    {
        var options = new ProviderSettings
        {
            Device = "GPU.1",
            Precision = ExecutionPrecision.F16,
            Config = """{"GPU":{"INFERENCE_PRECISION_HINT":"f32","X":1},"CPU":{"Y":true}}""",
        };

        var provider = OpenVinoSettings.Provider(options, 1, 4, cache: "/cache");

        Assert.Equal("GPU.1", provider["device_type"]);
        Assert.Equal("""{"GPU":{"INFERENCE_PRECISION_HINT":"f32","X":1,"CACHE_DIR":"/cache"},"CPU":{"Y":true}}""", provider["load_config"]);
        Assert.False(provider.ContainsKey("num_of_threads"));
    }

    [Theory]
    [InlineData(
        "Exception during initialization: [OpenVINO-EP] Exception while Loading Network for graph g: Exception from :\nException from :\nCheck '!x()' failed at :\nUnexpected: no.",
        "OpenVINO does not take the graph: [OpenVINO-EP] Exception while Loading Network for graph g: Check '!x()' failed: Unexpected: no.")]
    [InlineData(
        "This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly disabled by the user.",
        "OpenVINO takes only a part of the graph; provider_options.allow_cpu_nodes lets the rest run on the CPU provider, execution_provider 'cpu' or 'auto' the whole")]
    public void Describe_Refusal_IsOneSentence(string reason, string expected) => Assert.Equal(expected, OpenVinoRefusal.Describe(reason));
}
