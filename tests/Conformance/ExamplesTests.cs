using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance;

/// <summary>The examples and the README's curl line do what they say.</summary>
public sealed class ExamplesTests : IAsyncLifetime
{
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync("--models", TestPaths.DemoModels);

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Readme_CurlLine_AnswersSeven()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(TestPaths.Root, "README.md"));
        var line = readme.Split('\n').First(line => line.StartsWith("curl ", StringComparison.Ordinal));
        var promised = readme.Split('\n').Single(line => line.StartsWith("{\"model_name\":\"digits\"", StringComparison.Ordinal));

        var answer = await RunAsync("/bin/sh", "-c", line.Replace("http://127.0.0.1:8000", _server.HttpUrl, StringComparison.Ordinal));

        Assert.Equal(promised, answer.Trim());
    }

    [Theory]
    [InlineData("\"1.000000:7:7\"", "/bin/sh", "examples/digit.sh")]
    [InlineData("\"probabilities\",\"datatype\":\"FP32\"", "/bin/sh", "examples/digit_binary.sh")]
    [InlineData("digits version 1: 7", "/usr/bin/python3", "examples/python/infer_grpc.py", "examples/seven.fp32", "{grpc}")]
    [InlineData("digits version 1: 7", "node", "examples/node/infer.mjs", "examples/seven.fp32", "{grpc}")]
    [InlineData("digits version 1: 7", "dotnet", "examples/dotnet/bin/Release/net10.0/infer.dll", "examples/seven.fp32", "{grpc}")]
    public async Task Example_AgainstServer_AnswersSeven(string expected, string program, params string[] arguments)
    {
        if (program == "node")
        {
            Requires.Node();
        }

        var answer = await RunAsync(program, [.. arguments.Select(argument => argument.Replace("{grpc}", _server.GrpcTarget, StringComparison.Ordinal))]);

        Assert.Contains(expected, answer, StringComparison.Ordinal);
    }

    private Task<string> RunAsync(string program, params string[] arguments) =>
        Command.RunAsync(program, arguments, TestPaths.Root, new Dictionary<string, string> { ["URL"] = _server.HttpUrl });
}
