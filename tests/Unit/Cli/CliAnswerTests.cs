using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Cluster.Unit.Cli;

/// <summary>What the command line makes of answers that a test chooses.</summary>
public sealed class CliAnswerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-cli-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("get", "cluster")]
    [InlineData("alias", "get")]
    public async Task Connection_ThatIsNotMadeInTime_IsNotReachable(params string[] arguments)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var server = $"https://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}";

        var run = await CliRun.RunAsync(
            new Dictionary<string, string>(), "", [.. arguments, "--server", server], static process => process with { ConnectTimeout = TimeSpan.FromMilliseconds(100) }, TestContext.Current.CancellationToken).Soon();

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith($"error: {server}/ is not reachable: no connection within 0.1 s", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Terminal_WithoutAWidth_IsWrittenAsNone()
    {
        await using var server = await AnsweringServer.StartAsync(("/v2/cluster", """{"cluster":"blue"}"""));

        var run = await CliRun.RunAsync(
            new Dictionary<string, string>(), "", ["get", "cluster", "--server", server.Url], static process => process with { Width = 0 }, TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("blue", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeyOfAProfile_GoesToItsServerAndToThatOfTheOptionAlone()
    {
        await using var server = await AnsweringServer.StartAsync(("/v2/cluster", "{}"));
        Write("cluster/key", "secret");
        Write("cluster/config.yaml", $$"""
            profiles:
              default: { server: "http://127.0.0.1:9", api-key-file: key }
              own: { server: "{{server.Url}}", api-key-file: key }
              keyed: { api-key-file: key }
            """);

        await DoAsync(new() { ["CLUSTER_SERVER"] = server.Url }, "get", "cluster");
        await DoAsync(new() { ["CLUSTER_SERVER"] = server.Url, ["CLUSTER_PROFILE"] = "keyed" }, "get", "cluster");
        await DoAsync(new() { ["CLUSTER_SERVER"] = server.Url, ["CLUSTER_PROFILE"] = "own" }, "get", "cluster");
        await DoAsync([], "get", "cluster", "--server", server.Url);
        await DoAsync(new() { ["CLUSTER_SERVER"] = server.Url }, "get", "cluster", "--key-file", Path.Combine(_folder.FullName, "cluster", "key"));

        Assert.Equal([null, null, "Bearer secret", "Bearer secret", "Bearer secret"], server.Credentials.Select(static credential => string.IsNullOrEmpty(credential) ? null : credential));
    }

    [Fact]
    public async Task Events_OfAServerThatEndsEachStream_AreAskedForASecondApart()
    {
        var number = 0;
        await using var server = await AnsweringServer.StartAsync(http =>
        {
            http.Response.ContentType = "text/event-stream";
            return http.Response.WriteAsync($"id: {++number}\ndata: {{\"kind\":\"loaded\",\"model\":\"m\"}}\n\n");
        });
        var time = new HastyTime();

        var run = await CliRun.RunAsync(
            new Dictionary<string, string>(), "", ["events", "-w", "-n", "3", "--server", server.Url], process => process with { Time = time }, TestContext.Current.CancellationToken).Soon();

        Assert.Equal((0, 3), (run.ExitCode, number));
        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)], time.Waits);
    }

    [Fact]
    public async Task Numbers_AsYaml_AreThoseOfTheAnswer()
    {
        const string answer = """{"small":1e-30,"tenth":0.1,"largest":18446744073709551615,"whole":1.0,"negative":-2.5E+300,"text":"1"}""";
        await using var server = await AnsweringServer.StartAsync(("/v2/cluster", answer));

        var output = await DoAsync([], "get", "cluster", "-o", "yaml", "--server", server.Url);

        Assert.Equal("small: 1e-30\ntenth: 0.1\nlargest: 18446744073709551615\nwhole: 1.0\nnegative: -2.5E+300\ntext: \"1\"\n", output);
    }

    [Theory]
    [InlineData("10.0.0.1:8002@1", "10.0.0.1:8002@1")]
    [InlineData("one", "10.0.0.1:8002@2")]
    [InlineData("10.0.0.9:8002@1", "10.0.0.9:8002@1")]
    [InlineData("two", "10.0.0.3:8002@1 10.0.0.4:8002@1")]
    public async Task Silo_ByAddressOrName_IsTheOneThatIsMeant(string name, string expected)
    {
        await using var server = await AnsweringServer.StartAsync(("/v2/cluster", """
            {"nodes":[
              {"silo":"10.0.0.1:8002@1","name":"one","status":"Dead"},
              {"silo":"10.0.0.1:8002@2","name":"one","status":"Active"},
              {"silo":"10.0.0.2:8002@1","name":"10.0.0.9:8002@1","status":"Active"},
              {"silo":"10.0.0.9:8002@1","name":"nine","status":"Dead"},
              {"silo":"10.0.0.3:8002@1","name":"two","status":"Active"},
              {"silo":"10.0.0.4:8002@1","name":"two","status":"Active"}]}
            """));

        var found = JsonDocument.Parse(await DoAsync([], "get", "silos", name, "-o", "json", "--server", server.Url)).RootElement;

        var silos = found.ValueKind == JsonValueKind.Array ? found.EnumerateArray().ToList() : [found];
        Assert.Equal(expected, string.Join(' ', silos.Select(static silo => silo.GetProperty("silo").GetString())));
    }

    [Theory]
    [InlineData("a/b={0}/v.json", 0, "a/b")]
    [InlineData("a=b={0}/v.json", 0, "a=b")]
    [InlineData("scale={0}/v.json", 0, "scale")]
    [InlineData("c={0}/v.json", 64, "the model has no input 'c', expected a/b, a=b, scale; and there is no file 'c=")]
    [InlineData("{0}/v.json", 64, "names no input")]
    [InlineData("a/b={0}/three.json", 64, "three.json has 3 values, input 'a/b' takes the shape [2]")]
    public async Task Input_ByName_MayBeOfAnyLetters(string given, int code, string expected)
    {
        Write("v.json", "[1,2]");
        Write("three.json", "[1,2,3]");
        await using var server = await AnsweringServer.StartAsync(
            ("/v2/models/m", """{"inputs":[{"name":"a/b","datatype":"FP32","shape":[2]},{"name":"a=b","datatype":"FP32","shape":[2]}],"outputs":[]}"""),
            ("/v2/models/m/config", """{"input":[{"name":"a/b","data_type":"TYPE_FP32","dims":[2],"optional":false},{"name":"scale","data_type":"TYPE_FP32","dims":[-1],"optional":true}]}"""),
            ("/v2/models/m/infer", "{}"));

        var run = await RunAsync([], "infer", "m", given.Replace("{0}", _folder.FullName, StringComparison.Ordinal), "--server", server.Url);

        Assert.Equal(code, run.ExitCode);
        Assert.Contains(expected, code == 0 ? JsonDocument.Parse(Assert.Single(server.Bodies)).RootElement.GetProperty("inputs")[0].GetProperty("name").GetString() : run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[1,2]", "\"data\":[1,2]")]
    [InlineData("{\"inputs\":[]}", "{\"inputs\":[]}")]
    public async Task File_WithAnEqualsSign_IsAFile(string content, string sent)
    {
        await using var server = await AnsweringServer.StartAsync(
            ("/v2/models/m", """{"inputs":[{"name":"x","datatype":"FP32","shape":[2]}],"outputs":[]}"""), ("/v2/models/m/infer", "{}"));

        await DoAsync([], "infer", "m", Write("a=b.json", content), "--server", server.Url);

        Assert.Contains(sent, Assert.Single(server.Bodies), StringComparison.Ordinal);
    }

    private Task<CliRun> RunAsync(Dictionary<string, string> variables, params string[] arguments)
    {
        variables["XDG_CONFIG_HOME"] = _folder.FullName;
        return CliRun.RunAsync(variables, "", arguments, TestContext.Current.CancellationToken);
    }

    private async Task<string> DoAsync(Dictionary<string, string> variables, params string[] arguments)
    {
        var run = await RunAsync(variables, arguments);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return run.Output;
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A clock on which each wait is over at once, and noted.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
