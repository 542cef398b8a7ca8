using System.Reflection;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Silo;

public sealed class ServeOptionsTests
{
    private const string NoFile = "/nonexistent/appsettings.json";

    public static TheoryData<string, string> Names => new()
    {
        { "--models", nameof(ServeOptions.Models) },
        { "--config", nameof(ServeOptions.Config) },
        { "--registered-models", nameof(ServeOptions.RegisteredModels) },
        { "--bind", nameof(ServeOptions.Bind) },
        { "--http-port", nameof(ServeOptions.HttpPort) },
        { "--grpc-port", nameof(ServeOptions.GrpcPort) },
        { "--redis", nameof(ServeOptions.Redis) },
        { "--redis-password-file", nameof(ServeOptions.RedisPasswordFile) },
        { "--cluster-id", nameof(ServeOptions.ClusterId) },
        { "--silo-port", nameof(ServeOptions.SiloPort) },
        { "--advertise", nameof(ServeOptions.Advertise) },
        { "--labels", nameof(ServeOptions.Labels) },
        { "--poll-seconds", nameof(ServeOptions.PollSeconds) },
        { "--max-message-mib", nameof(ServeOptions.MaxMessageMiB) },
        { "--inference-threads", nameof(ServeOptions.InferenceThreads) },
        { "--queue-limit", nameof(ServeOptions.QueueLimit) },
        { "--capacity", nameof(ServeOptions.Capacity) },
        { "--stop-seconds", nameof(ServeOptions.StopSeconds) },
        { "--server-name", nameof(ServeOptions.ServerName) },
        { "--log-format", nameof(ServeOptions.LogFormat) },
        { "--log-level", nameof(ServeOptions.LogLevel) },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Parse_Option_BecomesItsConfigurationKey(string option, string property)
    {
        Assert.Equal([new($"Cluster:{property}", "17")], await GivenAsync(option, "17"));
        Assert.Equal([new($"Cluster:{property}", "17"), new("Cluster:Role", "Silo")], await GivenAsync("silo", option, "17"));
        Assert.Equal([new($"Cluster:{property}", "17")], await GivenAsync($"{option}=17"));
    }

    [Fact]
    public void Options_OfTheCommandLine_AreAllThatThereAre()
    {
        var properties = typeof(ServeOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name);

        Assert.Equal(properties.Order(), Names.Select(row => (string)row[1]).Append(nameof(ServeOptions.Role)).Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Help_OfAnOption_NamesTheDefaultInForce(string option, string property)
    {
        var help = ServeCommand.Create(_ => Task.FromResult(0), _ => Task.FromResult(0)).Options.Single(candidate => candidate.Name == option).Description!;
        var read = ServeConfiguration.Read(new Dictionary<string, string?>(), NoFile).Options;
        var inForce = typeof(ServeOptions).GetProperty(property)!.GetValue(read);

        if (inForce is null or "")
        {
            Assert.DoesNotContain("default", help, StringComparison.Ordinal);
        }
        else
        {
            Assert.EndsWith($"[default: {inForce}]", help, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--http-prot", "1")]
    [InlineData("--http-port")]
    [InlineData("everything")]
    [InlineData("all", "extra")]
    public void Parse_NotACommandLineOfOurs_HasErrors(params string[] arguments) =>
        Assert.NotEmpty(ServeCommand.Create(_ => Task.FromResult(0), _ => Task.FromResult(0)).Parse(arguments).Errors);

    [Fact]
    public async Task Parse_Nothing_GivesNothing() => Assert.Empty(await GivenAsync());

    [Fact]
    public async Task Read_CommandLineEnvironmentAndFile_WinInThisOrder()
    {
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "appsettings.json");
        await File.WriteAllTextAsync(file, """{ "Cluster": { "QueueLimit": 11, "StopSeconds": 12, "MaxMessageMiB": 13 }, "Other": { "Section": 1 } }""");
        using var environment = new EnvironmentVariables(("Cluster__StopSeconds", "22"), ("Cluster__MaxMessageMiB", "23"));

        var (options, configuration, mistakes) = ServeConfiguration.Read(
            new Dictionary<string, string?> { ["Cluster:MaxMessageMiB"] = "33" }, file);

        Assert.Empty(mistakes);
        Assert.Equal((11, 22, 33), (options.QueueLimit, options.StopSeconds, options.MaxMessageMiB));
        Assert.Equal("1", configuration["Other:Section"]);
    }

    [Fact]
    public async Task Read_UnknownKeyInTheFile_IsAMistake()
    {
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "appsettings.json");
        await File.WriteAllTextAsync(file, """{ "Cluster": { "HttpProt": 1 } }""");

        Assert.Contains("HttpProt", Assert.Single(ServeConfiguration.Read(new Dictionary<string, string?>(), file).Mistakes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_FileThatIsNoJson_IsAMistakeWithItsName()
    {
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "appsettings.json");
        await File.WriteAllTextAsync(file, "{ nonsense");

        Assert.Contains(file, Assert.Single(ServeConfiguration.Read(new Dictionary<string, string?>(), file).Mistakes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HttpPort", "eighty")]
    [InlineData("HttpPort", "1.5")]
    [InlineData("PollSeconds", "often")]
    public void Read_AnotherType_IsAMistakeWithKeyAndValue(string key, string value)
    {
        var mistake = Assert.Single(Read(key, value).Mistakes);

        Assert.Contains($"Cluster:{key}", mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bind", "localhost", "--bind is 'localhost', expected an IP address")]
    [InlineData("HttpPort", "65536", "--http-port is '65536', expected 0 to 65535")]
    [InlineData("GrpcPort", "-1", "--grpc-port is '-1', expected 0 to 65535")]
    [InlineData("GrpcPort", "8000", "--grpc-port is '8000', expected another port than http-port's")]
    [InlineData("PollSeconds", "0.05", "--poll-seconds is '0.05', expected 0, or 0.1 to 86400")]
    [InlineData("PollSeconds", "NaN", "--poll-seconds is 'NaN', expected 0, or 0.1 to 86400")]
    [InlineData("MaxMessageMiB", "0", "--max-message-mib is '0', expected 1 to 2000")]
    [InlineData("MaxMessageMiB", "2001", "--max-message-mib is '2001', expected 1 to 2000")]
    [InlineData("InferenceThreads", "4097", "--inference-threads is '4097', expected 0 to 4096")]
    [InlineData("QueueLimit", "-1", "--queue-limit is '-1', expected 0 to 1000000")]
    [InlineData("StopSeconds", "0", "--stop-seconds is '0', expected 1 to 3600")]
    [InlineData("ServerName", "", "--server-name is '', expected a name")]
    [InlineData("Redis", "localhost", "--redis is 'localhost', expected host:port, several separated by commas")]
    [InlineData("Redis", "a:1,b", "--redis is 'a:1,b', expected host:port, several separated by commas")]
    [InlineData("Role", "Silo", "--redis is '', expected host:port, which a silo needs")]
    [InlineData("Role", "Gateway", "--redis is '', expected host:port, which a gateway needs")]
    [InlineData("RedisPasswordFile", "secret", "--redis-password-file is 'secret', expected nothing without redis")]
    [InlineData("ClusterId", "a b", "--cluster-id is 'a b', expected 1 to 63 letters, digits, dots, dashes or underscores")]
    [InlineData("SiloPort", "65536", "--silo-port is '65536', expected 0 to 65535")]
    [InlineData("Advertise", "0.0.0.0", "--advertise is '0.0.0.0', expected an IP address that other machines can connect to")]
    [InlineData("Labels", "gpu,,x", "--labels is 'gpu,,x', expected names of letters, digits, dots, dashes or underscores, separated by commas")]
    [InlineData("LogFormat", "xml", "--log-format is 'xml', expected text or json")]
    [InlineData("LogLevel", "loud", "--log-level is 'loud', expected Trace, Debug, Information, Warning or Error")]
    [InlineData("LogLevel", "17", "--log-level is '17', expected Trace, Debug, Information, Warning or Error")]
    public void Read_OutOfRange_SaysWhatWouldBeRight(string key, string value, string expected) => Assert.Equal([expected], Read(key, value).Mistakes);

    [Theory]
    [InlineData("PollSeconds", "0")]
    [InlineData("PollSeconds", "0.1")]
    [InlineData("HttpPort", "0")]
    [InlineData("Bind", "::1")]
    [InlineData("LogLevel", "debug")]
    [InlineData("Redis", "redis-1:6379,[::1]:6380")]
    [InlineData("Labels", "gpu,zone-a")]
    public void Read_AtTheEdge_IsTaken(string key, string value) => Assert.Empty(Read(key, value).Mistakes);

    [Fact]
    public void Validate_SeveralMistakes_NamesEach()
    {
        var mistakes = ServeOptionsValidator.Validate(new ServeOptions { HttpPort = -1, LogFormat = "xml", StopSeconds = 0 });

        Assert.Equal(3, mistakes.Count);
    }

    [Fact]
    public void Read_ConfigAlone_TakesNoFolderBesides()
    {
        Assert.Equal("models", Read("QueueLimit", "1").Options.Models);
        Assert.Null(Read("Config", "config.json").Options.Models);
    }

    private static ServeConfiguration Read(string key, string value) =>
        ServeConfiguration.Read(new Dictionary<string, string?> { ["Cluster:" + key] = value }, NoFile);

    private static async Task<IReadOnlyDictionary<string, string?>> GivenAsync(params string[] arguments)
    {
        IReadOnlyDictionary<string, string?>? given = null;
        var parsed = ServeCommand.Create(options =>
        {
            given = options;
            return Task.FromResult(5);
        }, _ => Task.FromResult(0)).Parse(arguments);
        Assert.Empty(parsed.Errors);

        Assert.Equal(5, await parsed.InvokeAsync());
        return given!;
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
