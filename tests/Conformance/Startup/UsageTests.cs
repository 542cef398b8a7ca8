using System.Net;
using System.Net.Sockets;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Startup;

/// <summary>A server that cannot start ends with the exit code that says whose fault it is, and one line that says what.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("--http-port 99999", "--http-port is '99999'")]
    [InlineData("--grpc-port x", "--grpc-port is 'x', expected 0 to 65535")]
    [InlineData("--grpc-port 0x10", "--grpc-port is '0x10', expected 0 to 65535")]
    [InlineData("health --http-port abc", "--http-port is 'abc', expected 0 to 65535")]
    [InlineData("--http-port 8123 --grpc-port 8123", "--grpc-port is '8123'")]
    [InlineData("--bind localhost", "--bind is 'localhost'")]
    [InlineData("silo --redis 127.0.0.1:1 --bind 0.0.0.0", "--peer-cert is missing")]
    [InlineData("--max-message-mib 0", "--max-message-mib is '0'")]
    [InlineData("--poll-seconds -1", "--poll-seconds is '-1'")]
    [InlineData("--log-level Loud --log-format xml", "--log-format is 'xml'")]
    [InlineData("--models", "--models")]
    [InlineData("--nosuch", "--nosuch")]
    [InlineData("nosuch", "nosuch")]
    public async Task Start_WrongUsage_Is64AndNamesTheOption(string arguments, string says)
    {
        var (code, output) = await ServerProcess.RunToEndAsync(arguments.Split(' '));
        Assert.True(code == 64, $"{code}: {output}");
        Assert.Contains(says, output, StringComparison.Ordinal);
        AssertNoTrace(output);
    }

    [Fact]
    public async Task Start_TwoMistakes_NamesBoth()
    {
        var (code, output) = await ServerProcess.RunToEndAsync("--log-level", "Loud", "--queue-limit", "-1");
        Assert.Equal(64, code);
        Assert.Contains("--log-level is 'Loud'", output, StringComparison.Ordinal);
        Assert.Contains("--queue-limit is '-1'", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_EmptyModels_Is64()
    {
        var (code, output) = await ServerProcess.RunToEndAsync("--models", "");
        Assert.Equal((64, "error: --models is '', expected a folder, or s3://bucket/prefix"), (code, output.Split('\n')[0]));
    }

    [Fact]
    public async Task Start_MissingPasswordFile_Is1AndNamesTheOption() => await AssertFailsAsync(
        "--redis-password-file is '/nonexistent', expected a file with a password that can be read",
        "--redis", "127.0.0.1:1", "--redis-password-file", "/nonexistent");

    [Fact]
    public async Task Start_MissingModels_Is1AndNamesTheFolder()
    {
        var missing = Path.Combine(Path.GetTempPath(), "no-such-models");
        await AssertFailsAsync(missing, "--models", missing, "--http-port", "0", "--grpc-port", "0");
    }

    [Theory]
    [InlineData("{", "config.json")]
    [InlineData("{\"model_config_list\":[],\"nosuch\":1}", "nosuch")]
    public async Task Start_BrokenConfig_Is1AndSaysWhat(string text, string says)
    {
        using var folder = ModelFolder.Create();
        var config = Path.Combine(folder.Path, "config.json");
        await File.WriteAllTextAsync(config, text);
        await AssertFailsAsync(says, "--config", config, "--http-port", "0", "--grpc-port", "0");
    }

    [Theory]
    [InlineData("--http-port", "--grpc-port")]
    [InlineData("--grpc-port", "--http-port")]
    public async Task Start_PortInUse_Is1AndNamesThePort(string taken, string free)
    {
        using var models = ModelFolder.Create().Add(TestFolder("add_one")).Add(TestFolder("add_one"), "another").Add(TestFolder("broken"));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = "" + ((IPEndPoint)listener.LocalEndpoint).Port;
        await AssertFailsAsync(port, "--models", models.Path, taken, port, free, "0");
    }

    [Fact]
    public async Task Start_AddressOfAnotherMachine_Is1AndNamesTheAddress()
    {
        using var models = ModelFolder.Create();
        await AssertFailsAsync("192.0.2.1", "--models", models.Path, "--bind", "192.0.2.1", "--insecure", "--http-port", "0", "--grpc-port", "0");
    }

    private static string TestFolder(string model) => Path.Combine(TestPaths.TestModels, model);

    private static async Task AssertFailsAsync(string says, params string[] arguments)
    {
        var (code, output) = await ServerProcess.RunToEndAsync(arguments);
        Assert.True(code == 1, $"{code}: {output}");
        var error = Assert.Single(output.Split('\n'), static line => line.StartsWith("error:", StringComparison.Ordinal));
        Assert.Contains(says, error, StringComparison.Ordinal);
        AssertNoTrace(output);
    }

    private static void AssertNoTrace(string output)
    {
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", output, StringComparison.Ordinal);
    }
}
