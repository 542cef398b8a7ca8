using Cluster.Contracts.Options;
using Cluster.Metrics;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Xunit;
using static Cluster.Unit.Silo.ServeReading;

namespace Cluster.Unit.Silo;

/// <summary>Options of a file and of the environment, and which of them wins.</summary>
[Collection(nameof(ServeReading))]
public sealed class ServeConfigurationTests
{
    [Fact]
    public async Task Read_CommandLineEnvironmentAndFile_WinInThisOrder()
    {
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "appsettings.json");
        await File.WriteAllTextAsync(file, """{ "Cluster": { "QueueLimit": 11, "StopSeconds": 12, "MaxMessageMiB": 13 }, "Orleans": { "Section": 1 } }""");
        using var environment = new EnvironmentVariables(("Cluster__StopSeconds", "22"), ("Cluster__MaxMessageMiB", "23"));

        var read = Read(file, ("Cluster:MaxMessageMiB", "33"));

        Assert.Empty(read.Mistakes);
        Assert.Equal((11, 22, 33), (read.Options.QueueLimit, read.Options.StopSeconds, read.Options.MaxMessageMiB));
        Assert.Equal("1", read.Configuration["Orleans:Section"]);
    }

    [Theory]
    [InlineData("{ nonsense", "appsettings.json is not JSON, see line 1, byte 3")]
    [InlineData("[]", "appsettings.json is a list, expected an object of sections")]
    [InlineData("""{ "Cluster": 5 }""", "Cluster in appsettings.json is '5', expected an object of options")]
    [InlineData("""{ "Cluster": [1] }""", "Cluster in appsettings.json is a list, expected an object of options")]
    [InlineData("""{ "Clutser": {} }""", "Clutser in appsettings.json is unknown, did you mean Cluster?")]
    [InlineData("""{ "Cluster": { "HttpProt": 1 } }""", "Cluster:HttpProt in appsettings.json is unknown, did you mean HttpPort?")]
    [InlineData("""{ "Rest": { "Nothing": 1 } }""", "Rest:Nothing in appsettings.json is unknown")]
    [InlineData("""{ "Cluster": { "HttpPort": null } }""", "Cluster:HttpPort in appsettings.json is null, expected a value, or no such key for the default")]
    [InlineData("""{ "Cluster": { "HttpPort": [1] } }""", "Cluster:HttpPort in appsettings.json is a list or an object, expected 0 to 65535")]
    [InlineData("""{ "Cluster": { "HttpPort": { "a": 1 } } }""", "Cluster:HttpPort in appsettings.json is a list or an object, expected 0 to 65535")]
    [InlineData("""{ "Cluster": { "HttpPort": {} } }""", "Cluster:HttpPort in appsettings.json is '', expected 0 to 65535")]
    [InlineData("""{ "Cluster": { "HttpPort": true } }""", "Cluster:HttpPort in appsettings.json is 'true', expected 0 to 65535")]
    [InlineData("""{ "Cluster": { "HttpPort": 1e3 } }""", "Cluster:HttpPort in appsettings.json is '1e3', expected 0 to 65535")]
    [InlineData("""{ "Cluster": { "HttpPort": 1, "httpPort": 2 } }""", "Cluster:httpPort in appsettings.json is given twice, expected once")]
    [InlineData("""{ "Cluster": { "Role": "7" } }""", "Cluster:Role in appsettings.json is '7', expected All, Silo or Gateway")]
    [InlineData("""{ "Rest": { "MaxRequestBytes": "abc" } }""", "Rest:MaxRequestBytes in appsettings.json is 'abc', expected nothing here: Cluster:MaxMessageMiB sets it")]
    [InlineData("""{ "Rest": { "HeadersTimeout": 30 } }""", "Rest:HeadersTimeout in appsettings.json is '30', expected 00:00:00.1 to 01:00:00")]
    [InlineData("""{ "Scaling": { "AddInterval": "-00:00:01" } }""", "Scaling:AddInterval in appsettings.json is '-00:00:01', expected 00:00:00 to 1.00:00:00")]
    [InlineData("""{ "Scaling": { "SecondCopyMinAge": "01:00:00" } }""", "Scaling:SecondCopyMinAge in appsettings.json is '01:00:00', expected no more than SecondCopyMaxAge, 00:40:00")]
    [InlineData("""{ "Metrics": { "Bounds": { "x": [2, 1] } } }""", "Metrics:Bounds in appsettings.json is a list or an object, expected ascending numbers for x")]
    [InlineData("""{ "Tracing": { "Endpoint": "collector:4317" } }""", "Tracing:Endpoint in appsettings.json is 'collector:4317', expected a URL that begins with http:// or https://")]
    [InlineData("""{ "Tracing": { "SampleRatio": 2 } }""", "Tracing:SampleRatio in appsettings.json is '2', expected 0 to 1")]
    [InlineData("""{ "Tracing": { "Protocol": "json" } }""", "Tracing:Protocol in appsettings.json is 'json', expected Grpc or HttpProtobuf")]
    [InlineData("""{ "Tokens": { "KeysCa": "ca.pem" } }""", "Tokens:KeysCa in appsettings.json is 'ca.pem', expected nothing without an https:// address of keys")]
    [InlineData("""{ "Cluster": { "Access": "a", "TokenKeys": "http://a/b" }, "Tokens": { "Issuer": "i", "Audience": "a" } }""", "Cluster:TokenKeys in appsettings.json is 'http://a/b', expected a file, or an https:// address")]
    [InlineData("""{ "Metrics": { "Meters": [""] } }""", "Metrics:Meters in appsettings.json is a list or an object, expected a list of names")]
    public async Task Read_MistakeInTheFile_NamesTheKeyAndTheFile(string json, string mistake)
    {
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "appsettings.json");
        await File.WriteAllTextAsync(file, json);

        Assert.Equal([mistake], Read(file).Mistakes.Select(line => line.Replace(folder.Path + "/", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Read_ListsInTheFile_AreTaken()
    {
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "appsettings.json");
        await File.WriteAllTextAsync(file, """{ "Metrics": { "Meters": ["a", "b"], "Bounds": { "x.y": [0.5, 1], "z": "1,2" } } /* and a comment */ }""");
        var metrics = new PrometheusOptions();

        var read = Read(file);
        OptionSection.Bind(read.Configuration, metrics);

        Assert.Empty(read.Mistakes);
        Assert.Equal(["a", "b"], metrics.Meters);
        Assert.Equal([0.5, 1], metrics.Bounds["x.y"]);
        Assert.Equal([1, 2], metrics.Bounds["z"]);
    }

    [Fact]
    public void Read_FolderInPlaceOfTheFile_IsAMistake()
    {
        using var folder = ModelFolder.Create();

        Assert.Equal([$"{folder.Path} cannot be read, expected a file of options"], Read(folder.Path).Mistakes);
    }

    [Fact]
    public void Read_MistakesInTheEnvironment_NameTheVariable()
    {
        using var environment = new EnvironmentVariables(("Cluster__StopSeconds", "0"), ("Cluster__StopSecond", "1"), ("Cache__SizeFactor", "big"));

        Assert.Equal(
            [
                "Cluster__StopSeconds is '0', expected 1 to 3600",
                "Cluster__StopSecond is unknown, did you mean StopSeconds?",
                "Cache__SizeFactor is 'big', expected 1 to 100",
            ],
            Read(NoFile).Mistakes);
    }

    [Fact]
    public async Task Read_MistakesOfEveryOrigin_AreToldTogether()
    {
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "appsettings.json");
        await File.WriteAllTextAsync(file, """{ "Cluster": { "GrpcPort": -1 }, "Rest": { "MaxHeaders": 0 }, "Nothing": {} }""");
        using var environment = new EnvironmentVariables(("Cluster__StopSeconds", "1.5"));

        var mistakes = ServeConfiguration.Read(await ParseAsync("--http-port", "abc", "--nothing"), file).Mistakes;

        Assert.Equal(
            [
                "'--nothing' is unknown",
                "Nothing in appsettings.json is unknown",
                "--http-port is 'abc', expected 0 to 65535",
                "Cluster:GrpcPort in appsettings.json is '-1', expected 0 to 65535",
                "Cluster__StopSeconds is '1.5', expected 1 to 3600",
                "Rest:MaxHeaders in appsettings.json is '0', expected 1 to 10000",
            ],
            mistakes);
    }

    /// <summary>Sets variables of this process for one test; no other test reads them.</summary>
    private sealed class EnvironmentVariables : IDisposable
    {
        private readonly string[] _names;

        public EnvironmentVariables(params (string Name, string Value)[] variables)
        {
            _names = [.. variables.Select(variable => variable.Name)];
            foreach (var (name, value) in variables)
            {
                Environment.SetEnvironmentVariable(name, value);
            }
        }

        public void Dispose()
        {
            foreach (var name in _names)
            {
                Environment.SetEnvironmentVariable(name, null);
            }
        }
    }
}
