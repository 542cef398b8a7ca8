using System.Text;
using Cluster.Contracts.Options;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Cluster.Unit.Replication;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Silo.Clustering;

/// <summary>The connection to a Redis with users, with TLS, or not there: what works, and which option an error names.</summary>
public sealed class SharedRedisTests(RedisFixture redis) : IClassFixture<RedisFixture>, IDisposable
{
    /// <summary>What docs/operations.md gives the cluster's user.</summary>
    private static readonly string[] Users =
        ["--user", "default", "off", "--user", "app", "on", ">secret", "~cluster:*", "&cluster:*", "+@all", "-@admin", "-@dangerous", "+info"];

    private readonly ModelFolder _folder = ModelFolder.Create();
    private readonly LogSink _log = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Start_AsAUserWithTheRightsOfTheDocumentation_MapsWork()
    {
        await using var server = await RedisServer.StartNewAsync(false, Users);
        var map = redis.OpenMap(server, redis.NewCluster(), null, null, options => (options.User, options.PasswordFile) = ("app", Password("secret\n")));
        await map.StartAsync(default).Soon();
        map.Publish("k", Encoding.UTF8.GetBytes("v"));

        Assert.True((await map.WriteAsync("w", default, Encoding.UTF8.GetBytes("v"))).Done);
        await map.StopAsync(default).Soon();
    }

    [Theory]
    [InlineData("app", "wrong", "--redis-user: Redis at {0} does not know user 'app' with the password in '{1}' (--redis-password-file)")]
    [InlineData("stranger", "secret", "--redis-user: Redis at {0} does not know user 'stranger' with the password in '{1}' (--redis-password-file)")]
    [InlineData(null, "secret", "--redis-password-file: Redis at {0} does not take the password in '{1}'")]
    [InlineData(null, null, "--redis-password-file: Redis at {0} wants a password, and none was given")]
    public async Task Start_WhatRedisDoesNotKnow_EndsAndNamesTheOption(string? user, string? password, string expected)
    {
        await using var server = await RedisServer.StartNewAsync(false, Users);
        var file = password is null ? null : Password(password);
        await using var shared = Open(new RedisOptions { Endpoints = server.Endpoint, User = user, PasswordFile = file });

        var failure = await Assert.ThrowsAsync<IOException>(() => shared.StartAsync(default).Soon());

        Assert.Equal(string.Format(null, expected, server.Endpoint, file), failure.Message);
    }

    [Fact]
    public async Task Evaluate_WithAPassword_NeedsIt()
    {
        await using var server = await RedisServer.StartNewAsync(false, "--requirepass", "secret");
        var without = redis.Connect(server);
        var with = redis.Connect(server, options => options.PasswordFile = Password("secret"));

        Assert.True((await with.UntilAsync(static reply => reply.IsDone)).IsDone);
        Assert.False((await without.EchoAsync()).IsDone);
    }

    [Fact]
    public async Task Start_RedisIsAway_GoesOnAndConnectsWhenItIsThere()
    {
        await using var server = await RedisServer.StartNewAsync();
        await server.StopAsync();
        await using var shared = Open(new RedisOptions { Endpoints = server.Endpoint });

        await shared.StartAsync(default).Soon();
        Assert.Contains(_log.Problems, line => line.StartsWith($"Redis at {server.Endpoint} did not answer at the start", StringComparison.Ordinal));
        await server.StartAsync();

        await _log.UntilAsync(static entry => entry.Message.EndsWith("was restored", StringComparison.Ordinal));
        Assert.True((await shared.ConnectAsync()).IsConnected);
    }

    [Fact]
    public async Task Connect_ByManyAtOnce_IsOneConnection()
    {
        await using var shared = Open(new RedisOptions { Endpoints = redis.Server.Endpoint });

        var connections = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(shared.ConnectAsync)));

        Assert.Single(connections.Distinct());
    }

    [Fact]
    public async Task Start_TlsOfATrustedAuthority_Connects()
    {
        using var certificates = TestCertificates.Create("127.0.0.1");
        await using var server = await RedisServer.StartTlsAsync(certificates);
        await using var shared = Open(new RedisOptions { Endpoints = server.Endpoint, Tls = true, TlsCa = certificates.Authority });

        await shared.StartAsync(default).Soon();

        Assert.Equal("v", await EchoAsync(shared));
        Assert.Empty(_log.Problems);
    }

    [Fact]
    public async Task Start_TlsThatIsNotTrusted_EndsAndNamesTheOption()
    {
        using var certificates = TestCertificates.Create("127.0.0.1");
        using var others = TestCertificates.Create("127.0.0.1");
        using var otherHost = TestCertificates.Create("redis.example");
        await using var server = await RedisServer.StartTlsAsync(certificates);
        await using var elsewhere = await RedisServer.StartTlsAsync(otherHost);
        (RedisServer Server, string? Authority)[] cases = [(server, null), (server, others.Authority), (elsewhere, otherHost.Authority)];
        foreach (var (target, authority) in cases)
        {
            await using var shared = Open(new RedisOptions { Endpoints = target.Endpoint, Tls = true, TlsCa = authority });

            var failure = await Assert.ThrowsAsync<IOException>(() => shared.StartAsync(default).Soon());

            Assert.StartsWith($"--redis-tls: the TLS handshake with Redis at {target.Endpoint} failed: ", failure.Message, StringComparison.Ordinal);
            Assert.Contains("--redis-tls-ca", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Start_RedisWantsACertificate_ConnectsOnlyWithOne()
    {
        using var certificates = TestCertificates.Create("127.0.0.1");
        await using var server = await RedisServer.StartTlsAsync(certificates, "--tls-auth-clients", "yes");
        var options = new RedisOptions { Endpoints = server.Endpoint, Tls = true, TlsCa = certificates.Authority };
        await using (var without = Open(options))
        {
            await without.StartAsync(default).Soon();
            Assert.Contains(_log.Problems, line => line.StartsWith($"Redis at {server.Endpoint} did not answer at the start", StringComparison.Ordinal));
        }

        (options.TlsCert, options.TlsKey) = (certificates.Certificate, certificates.Key);
        await using var shared = Open(options);
        await shared.StartAsync(default).Soon();

        Assert.Equal("v", await EchoAsync(shared));
    }

    [Fact]
    public void Options_ThatCannotWork_AreAllNamed()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Redis:ConnectTimeout", "00:00:00"), new("Redis:OperationTimeout", "00:02:00")]).Build();
        var options = new RedisOptions();
        OptionSection.Bind(configuration, options);

        Assert.Equal(["Redis:ConnectTimeout", "Redis:OperationTimeout"], OptionSection.Check(configuration, options).Select(static mistake => mistake.Key));
    }

    private static async Task<string?> EchoAsync(SharedRedis shared) =>
        await (await shared.ConnectAsync()).GetDatabase().ScriptEvaluateAsync("return ARGV[1]", values: ["v"]) is { } answer ? (string?)answer : null;

    private SharedRedis Open(RedisOptions options) => new(Options.Create(options), TimeProvider.System, new Logger<SharedRedis>(new LoggerFactory([_log])));

    private string Password(string password)
    {
        var file = Path.Combine(_folder.Path, Path.GetRandomFileName());
        File.WriteAllText(file, password);
        return file;
    }
}
