using System.Globalization;
using Cluster.Deploy.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy;

/// <summary>One command makes a cluster that answers.</summary>
public sealed class StartTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    private const string Example = "examples/seven.fp32";

    [Fact]
    public async Task Up_FromACleanClone_IsHealthyWithinAMinute()
    {
        Figures.Report(string.Create(
            CultureInfo.InvariantCulture,
            $"images built in {Cluster.BuildTime.TotalSeconds:0.0} s; up with 3 silos: first answer after {Cluster.FirstAnswer.TotalSeconds:0.0} s, healthy after {Cluster.Healthy.TotalSeconds:0.0} s"));
        Assert.InRange(Cluster.Healthy, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        Assert.Equal(3, (await Cluster.ViewAsync()).Active.Count);
    }

    [Fact]
    public async Task Demo_ByTheReadmesCurlLine_AnswersSeven()
    {
        var readme = await File.ReadAllLinesAsync(Path.Combine(Cluster.Root, "README.md"));
        var line = readme.First(static line => line.StartsWith("curl ", StringComparison.Ordinal));
        var promised = readme.Single(static line => line.StartsWith("{\"model_name\":\"digits\"", StringComparison.Ordinal));

        var answer = await Command.RunAsync("sh", ["-c", line.Replace("http://127.0.0.1:8000", Cluster.HttpUrl, StringComparison.Ordinal)], Cluster.Root);

        Assert.Equal(promised, answer.Trim());
    }

    [Fact]
    public async Task Demo_ByGrpcio_AnswersSeven() =>
        Assert.Contains("digits version 1: 7", await Command.RunAsync("/usr/bin/python3", ["examples/python/infer_grpc.py", Example, Cluster.GrpcTarget], Cluster.Root), StringComparison.Ordinal);

    [Fact]
    public async Task Mnist_ByGrpcioAndCurl_SeesASeven()
    {
        Tests.Common.Requires.SharedModels();
        var raw = await File.ReadAllBytesAsync(Path.Combine(Cluster.Root, Example));
        var pixels = string.Join(',', raw.Chunk(sizeof(float)).Select(static bytes => BitConverter.ToSingle(bytes).ToString(CultureInfo.InvariantCulture)));
        var body = $$"""{"inputs":[{"name":"Input3","datatype":"FP32","shape":[1,1,28,28],"data":[{{pixels}}]}],"outputs":[{"name":"Plus214_Output_0","parameters":{"classification":1} }]}""";

        Assert.Equal("7", (await AskAsync("mnist", "Input3", "1,1,28,28", Path.Combine(Cluster.Root, Example), "--class")).Trim());
        var answer = await Command.RunAsync("curl", ["--silent", "--show-error", "--fail", "--data-binary", body, Cluster.HttpUrl + "/v2/models/mnist/infer"]);
        Assert.Matches("\"data\":\\[\"[0-9.]+:7\"\\]", answer);
    }

    [Fact]
    public Task SqueezeNet_ByGrpcio_GivesTheReferenceOutput() => CompareAsync("light_squeezenet", "data_0");

    [Fact]
    public Task ResNet50_ByGrpcio_GivesTheReferenceOutput() => CompareAsync("light_resnet50", "gpu_0/data_0");

    /// <summary>Against the output that was published with the model.</summary>
    private async Task CompareAsync(string model, string input)
    {
        var reference = Path.Combine(Tests.Common.Requires.SharedModels(), model + "_output_0.pb");

        Assert.Equal("equal", (await AskAsync(model, input, "1,3,224,224", "ramp", "--reference", reference)).Trim());
    }

    private Task<string> AskAsync(string model, string input, string shape, string values, params string[] rest) => Command.RunAsync(
        "/usr/bin/python3",
        ["tests/Deploy/Clients/ask_grpc.py", Cluster.GrpcTarget, model, input, shape, values, .. rest],
        Cluster.Root);
}
