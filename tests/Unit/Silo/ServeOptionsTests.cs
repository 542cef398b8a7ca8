using System.Reflection;
using System.Text.RegularExpressions;
using Cluster.Contracts.Options;
using Cluster.Silo.Options;
using Xunit;
using static Cluster.Unit.Silo.ServeReading;

namespace Cluster.Unit.Silo;

[Collection(nameof(ServeReading))]
public sealed class ServeOptionsTests
{
    public static TheoryData<string, string> Names => new()
    {
        { "--models", nameof(ServeOptions.Models) },
        { "--config", nameof(ServeOptions.Config) },
        { "--registered-models", nameof(ServeOptions.RegisteredModels) },
        { "--storage", nameof(ServeOptions.Storage) },
        { "--storage-cache", nameof(ServeOptions.StorageCache) },
        { "--require-signed-models", nameof(ServeOptions.RequireSignedModels) },
        { "--model-keys", nameof(ServeOptions.ModelKeys) },
        { "--model-key-file", nameof(ServeOptions.ModelKeyFile) },
        { "--bind", nameof(ServeOptions.Bind) },
        { "--http-port", nameof(ServeOptions.HttpPort) },
        { "--grpc-port", nameof(ServeOptions.GrpcPort) },
        { "--redis", nameof(ServeOptions.Redis) },
        { "--redis-user", nameof(ServeOptions.RedisUser) },
        { "--redis-password-file", nameof(ServeOptions.RedisPasswordFile) },
        { "--redis-tls", nameof(ServeOptions.RedisTls) },
        { "--redis-tls-ca", nameof(ServeOptions.RedisTlsCa) },
        { "--redis-tls-cert", nameof(ServeOptions.RedisTlsCert) },
        { "--redis-tls-key", nameof(ServeOptions.RedisTlsKey) },
        { "--cluster-id", nameof(ServeOptions.ClusterId) },
        { "--silo-port", nameof(ServeOptions.SiloPort) },
        { "--management-port", nameof(ServeOptions.ManagementPort) },
        { "--tls-cert", nameof(ServeOptions.TlsCert) },
        { "--tls-key", nameof(ServeOptions.TlsKey) },
        { "--tls-client-ca", nameof(ServeOptions.TlsClientCa) },
        { "--tls-crl", nameof(ServeOptions.TlsCrl) },
        { "--tls-client-cert", nameof(ServeOptions.TlsClientCert) },
        { "--access", nameof(ServeOptions.Access) },
        { "--token-keys", nameof(ServeOptions.TokenKeys) },
        { "--audit-log", nameof(ServeOptions.AuditLog) },
        { "--advertise", nameof(ServeOptions.Advertise) },
        { "--peer-cert", nameof(ServeOptions.PeerCert) },
        { "--peer-key", nameof(ServeOptions.PeerKey) },
        { "--peer-ca", nameof(ServeOptions.PeerCa) },
        { "--peer-crl", nameof(ServeOptions.PeerCrl) },
        { "--insecure", nameof(ServeOptions.Insecure) },
        { "--labels", nameof(ServeOptions.Labels) },
        { "--poll-seconds", nameof(ServeOptions.PollSeconds) },
        { "--max-message-mib", nameof(ServeOptions.MaxMessageMiB) },
        { "--openvino", nameof(ServeOptions.Openvino) },
        { "--openvino-cache", nameof(ServeOptions.OpenvinoCache) },
        { "--openvino-cache-mib", nameof(ServeOptions.OpenvinoCacheMiB) },
        { "--inference-threads", nameof(ServeOptions.InferenceThreads) },
        { "--queue-limit", nameof(ServeOptions.QueueLimit) },
        { "--queue-mib", nameof(ServeOptions.QueueMiB) },
        { "--queue-delay-ms", nameof(ServeOptions.QueueDelayMs) },
        { "--stuck-run-seconds", nameof(ServeOptions.StuckRunSeconds) },
        { "--capacity", nameof(ServeOptions.Capacity) },
        { "--stop-seconds", nameof(ServeOptions.StopSeconds) },
        { "--drain-seconds", nameof(ServeOptions.DrainSeconds) },
        { "--max-connections", nameof(ServeOptions.MaxConnections) },
        { "--min-ready-models", nameof(ServeOptions.MinReadyModels) },
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

        Assert.Equal(properties.Order(), Names.Select(row => row.Data.Item2).Append(nameof(ServeOptions.Role)).Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Help_OfAnOption_NamesTheDefaultInForce(string option, string property)
    {
        var help = ServeCommand.Create(_ => Task.FromResult(0), _ => Task.FromResult(0)).Options.Single(candidate => candidate.Name == option).Description!;
        var read = Read(NoFile).Options;
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
    [InlineData("'--http-prot' is unknown, did you mean --http-port?", "--http-prot", "1")]
    [InlineData("'--http-prot' is unknown, did you mean --http-port?", "--http-prot=1")]
    [InlineData("--http-port has no value, expected one after it", "--http-port")]
    [InlineData("--http-port has no value, expected one after it", "--http-port", "--grpc-port", "1")]
    [InlineData("--http-port is given more than once, expected once", "--http-port", "1", "--http-port", "1")]
    [InlineData("--http-port is given more than once, expected once", "--http-port", "1", "all", "--http-port", "1")]
    [InlineData("'everything' is unknown", "everything")]
    [InlineData("'sillo' is unknown, did you mean silo?", "sillo")]
    [InlineData("'extra' is unknown", "all", "extra")]
    [InlineData("'@file' is unknown", "@file")]
    [InlineData("--redis is unknown here, expected --bind or --http-port or --tls-cert or --tls-key", "--redis", "a:1", "health")]
    [InlineData("'--redis' is unknown", "health", "--redis", "a:1")]
    public async Task Parse_NotACommandLineOfOurs_SaysWhatIsWrong(string mistake, params string[] arguments) =>
        Assert.Equal([mistake], (await ParseAsync(arguments)).Mistakes);

    [Fact]
    public async Task Parse_OptionBeforeTheCommand_Counts() =>
        Assert.Equal("1", (await ParseAsync("--http-port", "1", "silo")).Values["Cluster:HttpPort"]);

    [Fact]
    public async Task Parse_Nothing_GivesNothing() => Assert.Empty(await GivenAsync());

    /// <summary>What is open to a network speaks TLS and knows its clients, or says that it is meant to be open.</summary>
    [Theory]
    [InlineData("TLS (--tls-cert, --tls-key)")]
    [InlineData("TLS (--tls-cert, --tls-key)", "Access", "a.json")]
    [InlineData("a way to know clients (--access, or --tls-client-ca)", "TlsCert", "c.pem", "TlsKey", "k.pem")]
    [InlineData("a way to know clients (--access, or --tls-client-ca)", "TlsCert", "c.pem", "TlsKey", "k.pem", "TlsClientCa", "ca.pem", "TlsClientCert", "Optional")]
    [InlineData(null, "TlsCert", "c.pem", "TlsKey", "k.pem", "TlsClientCa", "ca.pem")]
    [InlineData(null, "TlsCert", "c.pem", "TlsKey", "k.pem", "Access", "a.json")]
    [InlineData(null, "Insecure", "true")]
    public void Read_BeyondLoopback_NeedsTlsAndIdentityOrTheSwitch(string? missing, params string[] given)
    {
        foreach (var (bind, isOpen) in new[] { ("0.0.0.0", true), ("10.1.2.3", true), ("::", true), ("127.0.0.2", false), ("::1", false) })
        {
            var values = given.Chunk(2).ToDictionary(static pair => $"Cluster:{pair[0]}", static pair => (string?)pair[1]);
            values["Cluster:Bind"] = bind;
            var mistakes = ServeConfiguration.Read(new GivenOptions(values, []), NoFile).Mistakes;

            Assert.Equal(
                missing is not null && isOpen ? [$"--bind is '{bind}', expected a loopback address without {missing}; or --insecure, which lets every client that reaches it in"] : [],
                mistakes);
        }
    }

    [Theory]
    [InlineData("k.json", "", "Tokens:Issuer is missing, expected a name, which tokens need", "Tokens:Audience is missing, expected a name, which tokens need")]
    [InlineData("k.json", "ca.pem", "Tokens:KeysCa is 'ca.pem', expected nothing without an https:// address of keys", "Tokens:Issuer is missing, expected a name, which tokens need", "Tokens:Audience is missing, expected a name, which tokens need")]
    [InlineData("https://issuer.example/keys", "ca.pem", "Tokens:Issuer is missing, expected a name, which tokens need", "Tokens:Audience is missing, expected a name, which tokens need")]
    public void Read_TokensWithoutWhatTheyNeed_IsTold(string keys, string authorities, params string[] mistakes)
    {
        var values = new Dictionary<string, string?> { ["Cluster:Access"] = "a.json", ["Cluster:TokenKeys"] = keys };
        if (authorities.Length > 0)
        {
            values["Tokens:KeysCa"] = authorities;
        }

        Assert.Equal(mistakes, ServeConfiguration.Read(new GivenOptions(values, []), NoFile).Mistakes);
    }

    /// <summary>What no number is, whichever the option.</summary>
    public static TheoryData<string, string> NotNumbers
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var property in typeof(ServeOptions).GetProperties().Where(property => property.PropertyType == typeof(int) || property.PropertyType == typeof(double)))
            {
                foreach (var text in new[] { "", " ", "abc", " 10", "10 ", "+10", "-10", "0x10", "1e1", "1,000", "1_0", "99999999999999999999", "NaN", "Infinity", "∞", "1.", ".5", "10s", "١٠", "true" })
                {
                    rows.Add(property.Name, text);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(NotNumbers))]
    public void Read_TextThatIsNoNumber_IsOneMistakeWithTheRange(string key, string value)
    {
        var mistake = Assert.Single(Read(key, value).Mistakes);

        Assert.Matches($"^--[a-z-]+ is '{Regex.Escape(value)}', expected 0.* to [0-9]+$|^--[a-z-]+ is '{Regex.Escape(value)}', expected 1 to [0-9]+$", mistake);
    }

    [Fact]
    public void Read_EmptyOrBlankText_IsAMistakeForEveryOption()
    {
        foreach (var property in typeof(ServeOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            foreach (var value in new[] { "", " ", " a", "a\t", "\n" })
            {
                Assert.Contains(Read(property.Name, value).Mistakes, mistake => mistake.Contains($"is '{OptionSection.OneLine(value)}', expected ", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void Read_ValueWithALineEnd_StaysOneLine() =>
        Assert.Equal(["--bind is 'a\\u000aerror: b', expected an IP address"], Read("Bind", "a\nerror: b").Mistakes);

    [Theory]
    [InlineData("Bind", "localhost", "--bind is 'localhost', expected an IP address")]
    [InlineData("Bind", "127.1", "--bind is '127.1', expected an IP address")]
    [InlineData("Bind", "1", "--bind is '1', expected an IP address")]
    [InlineData("Bind", "0x7f.0.0.1", "--bind is '0x7f.0.0.1', expected an IP address")]
    [InlineData("Bind", "127.0.0.010", "--bind is '127.0.0.010', expected an IP address")]
    [InlineData("Bind", "[::1]", "--bind is '[::1]', expected an IP address")]
    [InlineData("Bind", "::1:8000:x", "--bind is '::1:8000:x', expected an IP address")]
    [InlineData("Advertise", "my-host", "--advertise is 'my-host', expected an IP address that other machines can connect to")]
    [InlineData("Advertise", "::", "--advertise is '::', expected an IP address that other machines can connect to")]
    [InlineData("Role", "7", "Cluster:Role is '7', expected All, Silo or Gateway")]
    [InlineData("LogLevel", "3", "--log-level is '3', expected Trace, Debug, Information, Warning or Error")]
    [InlineData("LogLevel", "Critical", "--log-level is 'Critical', expected Trace, Debug, Information, Warning or Error")]
    [InlineData("LogLevel", "Debug,Error", "--log-level is 'Debug,Error', expected Trace, Debug, Information, Warning or Error")]
    [InlineData("LogFormat", "JSON", "--log-format is 'JSON', expected text or json")]
    [InlineData("Redis", "a:1,", "--redis is 'a:1,', expected host:port, several separated by commas")]
    [InlineData("Redis", "a:1,,b:2", "--redis is 'a:1,,b:2', expected host:port, several separated by commas")]
    [InlineData("Redis", "a:65536", "--redis is 'a:65536', expected host:port, several separated by commas")]
    [InlineData("Redis", "a:+1", "--redis is 'a:+1', expected host:port, several separated by commas")]
    [InlineData("Redis", "::1:6379", "--redis is '::1:6379', expected host:port, several separated by commas")]
    [InlineData("Redis", "redis://a:1", "--redis is 'redis://a:1', expected host:port, several separated by commas")]
    [InlineData("ClusterId", "", "--cluster-id is '', expected 1 to 63 letters, digits, dots, dashes or underscores")]
    [InlineData("HttpPort", "65536", "--http-port is '65536', expected 0 to 65535")]
    [InlineData("GrpcPort", "-1", "--grpc-port is '-1', expected 0 to 65535")]
    [InlineData("GrpcPort", "8000", "--grpc-port is '8000', expected another port than --http-port")]
    [InlineData("PollSeconds", "0.05", "--poll-seconds is '0.05', expected 0, or 0.1 to 86400")]
    [InlineData("PollSeconds", "NaN", "--poll-seconds is 'NaN', expected 0, or 0.1 to 86400")]
    [InlineData("MaxMessageMiB", "0", "--max-message-mib is '0', expected 1 to 2000")]
    [InlineData("MaxMessageMiB", "2001", "--max-message-mib is '2001', expected 1 to 2000")]
    [InlineData("InferenceThreads", "4097", "--inference-threads is '4097', expected 0 to 4096")]
    [InlineData("QueueLimit", "-1", "--queue-limit is '-1', expected 0 to 1000000")]
    [InlineData("QueueMiB", "1048577", "--queue-mib is '1048577', expected 0 to 1048576")]
    [InlineData("StuckRunSeconds", "86401", "--stuck-run-seconds is '86401', expected 0 to 86400")]
    [InlineData("QueueDelayMs", "-1", "--queue-delay-ms is '-1', expected 0 to 3600000")]
    [InlineData("StopSeconds", "0", "--stop-seconds is '0', expected 1 to 3600")]
    [InlineData("ServerName", "", "--server-name is '', expected a name")]
    [InlineData("Redis", "localhost", "--redis is 'localhost', expected host:port, several separated by commas")]
    [InlineData("Redis", "a:1,b", "--redis is 'a:1,b', expected host:port, several separated by commas")]
    [InlineData("Role", "Silo", "--redis is missing, expected host:port, which a silo needs")]
    [InlineData("Role", "Gateway", "--redis is missing, expected host:port, which a gateway needs")]
    [InlineData("RedisPasswordFile", "secret", "--redis-password-file is 'secret', expected nothing without --redis")]
    [InlineData("RedisUser", "app", "--redis-user is 'app', expected nothing without --redis-password-file")]
    [InlineData("RedisTls", "true", "--redis-tls is 'true', expected nothing without --redis")]
    [InlineData("RedisTlsCa", "ca.pem", "--redis-tls-ca is 'ca.pem', expected nothing without --redis-tls")]
    [InlineData("RedisTlsKey", "k.pem", "--redis-tls-key is 'k.pem', expected nothing without --redis-tls-cert")]
    [InlineData("PeerKey", "k.pem", "--peer-key is 'k.pem', expected nothing without --peer-cert")]
    [InlineData("PeerCa", "ca.pem", "--peer-ca is 'ca.pem', expected nothing without --peer-cert")]
    [InlineData("PeerCrl", "crl.pem", "--peer-crl is 'crl.pem', expected nothing without --peer-cert")]
    [InlineData("Insecure", "yes", "--insecure is 'yes', expected true or false")]
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

    [Theory]
    [InlineData("", "--grpc-port", "Cluster:HttpPort=1", "Cluster:GrpcPort=1")]
    [InlineData("", "--silo-port", "Cluster:HttpPort=1", "Cluster:SiloPort=1", "Cluster:Redis=a:1")]
    [InlineData("", "--silo-port", "Cluster:Role=Silo", "Cluster:HttpPort=1", "Cluster:SiloPort=1", "Cluster:Redis=a:1")]
    [InlineData("none", "", "Cluster:Role=Silo", "Cluster:HttpPort=1", "Cluster:GrpcPort=1", "Cluster:Redis=a:1")]
    [InlineData("", "--silo-port", "Cluster:Role=Gateway", "Cluster:HttpPort=1", "Cluster:SiloPort=1", "Cluster:Redis=a:1")]
    [InlineData("none", "", "Cluster:HttpPort=1", "Cluster:SiloPort=1")]
    [InlineData("none", "", "Cluster:HttpPort=0", "Cluster:GrpcPort=0")]
    public void Read_PortsOfARole_MayNotMeet(string mistakes, string named, params string[] given)
    {
        var read = Read(NoFile, [.. given.Select(pair => (pair.Split('=')[0], pair.Split('=')[1]))]);

        Assert.Equal(mistakes.Length > 0 ? [] : [$"{named} is '1', expected another port than --http-port"], read.Mistakes);
    }

    [Theory]
    [InlineData("--bind", "Cluster:Bind=0.0.0.0")]
    [InlineData("--bind", "Cluster:Bind=::")]
    [InlineData("--bind", "Cluster:Bind=192.0.2.1", "Cluster:Role=Silo")]
    [InlineData("--bind", "Cluster:Bind=192.0.2.1", "Cluster:Role=Gateway")]
    [InlineData("--advertise", "Cluster:Advertise=192.0.2.1")]
    [InlineData("", "Cluster:Bind=0.0.0.0", "Cluster:Insecure=true")]
    [InlineData("", "Cluster:Bind=0.0.0.0", "Cluster:PeerCert=c", "Cluster:PeerKey=k", "Cluster:PeerCa=ca")]
    [InlineData("", "Cluster:Bind=127.0.0.1", "Cluster:Advertise=127.0.0.2")]
    [InlineData("", "Cluster:Bind=::1")]
    public void Read_SiloPortBeyondLoopback_NeedsTlsOrTheWordThatItMayBe(string open, params string[] given)
    {
        var read = Read(NoFile, [("Cluster:Redis", "a:1"), .. given.Select(static pair => (pair.Split('=')[0], pair.Split('=')[1]))]);

        string[] expected = open.Length == 0 ? [] :
            [$"--peer-cert is missing, expected a certificate for TLS with other processes (and --peer-key, --peer-ca), as {open} is not loopback; or --insecure, where trusted machines alone reach the silo port"];
        Assert.Equal(expected, read.Mistakes.Where(static mistake => mistake.StartsWith("--peer", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Parse_SwitchAlone_IsTrue() => Assert.Equal([new("Cluster:RedisTls", "true")], await GivenAsync("--redis-tls"));

    [Fact]
    public void MistakesOf_SomeOptions_LeavesOutTheOthers() =>
        Assert.Equal(
            ["--http-port is 'abc', expected 0 to 65535"],
            Read(NoFile, ("Cluster:HttpPort", "abc"), ("Cluster:QueueLimit", "abc")).MistakesOf(nameof(ServeOptions.Bind), nameof(ServeOptions.HttpPort)));

    [Fact]
    public void Read_ConfigAlone_TakesNoFolderBesides()
    {
        Assert.Equal("models", Read("QueueLimit", "1").Options.Models);
        Assert.Null(Read("Config", "config.json").Options.Models);
    }
}
