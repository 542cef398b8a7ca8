using System.Security.Cryptography.X509Certificates;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Policy;
using Cluster.Security;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>What deploy/secured/prepare makes is what the program takes.</summary>
public sealed class PrepareScriptTests : IDisposable
{
    private readonly CertificateFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rules_KnowTheKeysThatWereMade()
    {
        await RunAsync();

        var rules = AccessFile.Read(_folder["access/access.json"]);
        var admin = rules.FindKey(Key("client/key"), TimeProvider.System.GetUtcNow(), out var isExpired)!;
        var prometheus = rules.FindKey(Key("prometheus/key"), TimeProvider.System.GetUtcNow(), out _)!;
        Assert.False(isExpired);
        Assert.Equal(["admin", "prometheus"], rules.Clients.Select(static client => client.Name).Order());
        Assert.All(Enum.GetValues<Permission>(), permission => Assert.True(admin.AllowsAll(permission)));
        Assert.Equal([Permission.Observe], Enum.GetValues<Permission>().Where(prometheus.AllowsAll));
        Assert.Equal("prometheus", prometheus.Name);
        Assert.Equal($"x-api-key: {Key("client/key")}", Key("client/header"));
        Assert.Equal("400", (await Command.RunAsync("stat", ["-c", "%a", _folder["client/key"]])).Trim());
    }

    [Fact]
    public async Task Certificates_AreForTheNamesAndOfTheAuthority()
    {
        await RunAsync("my-host.example 192.0.2.7");

        using var trust = new TrustFiles(_folder["client/ca.pem"], _folder["ca/crl.pem"], TimeProvider.System, NullLogger.Instance);
        foreach (var (service, names) in new[] { ("gateway", new[] { "gateway", "my-host.example", "192.0.2.7" }), ("silo", ["silo"]) })
        {
            using var certificate = PemFiles.ReadPair(_folder[$"public/{service}/own.pem"], _folder[$"public/{service}/own.key"]);
            Assert.Null(trust.Check(certificate, null, CertificateUse.Server));
            Assert.All(names, name => Assert.True(certificate.MatchesHostname(name), name));
        }

        using var prometheus = PemFiles.ReadPair(_folder["prometheus/own.pem"], _folder["prometheus/own.key"]);
        Assert.Null(trust.Check(prometheus, null, CertificateUse.Client));
    }

    [Fact]
    public async Task ASecondRun_KeepsKeysAndRules_AndFollowsTheNames()
    {
        await RunAsync();
        var before = Read("client/key", "prometheus/key", "access/access.json", "public/silo/own.pem", "public/gateway/own.pem");

        await RunAsync();
        Assert.Equal(before, Read("client/key", "prometheus/key", "access/access.json", "public/silo/own.pem", "public/gateway/own.pem"));
        await RunAsync("other.example");

        Assert.Equal(before[..4], Read("client/key", "prometheus/key", "access/access.json", "public/silo/own.pem"));
        using var gateway = X509CertificateLoader.LoadCertificateFromFile(_folder["public/gateway/own.pem"]);
        Assert.True(gateway.MatchesHostname("other.example"));
        Assert.False(gateway.MatchesHostname("localhost"));
    }

    [Fact]
    public async Task FilesOfTheOperator_Stay()
    {
        using var authority = TestAuthority.Create(TimeProvider.System, "CN=Another");
        Directory.CreateDirectory(_folder["public/gateway"]);
        Directory.CreateDirectory(_folder["access"]);
        _folder.Write("public/gateway/own", authority.Issue(new TestSubject("uri:mine")));
        _folder.Write("access/access.json", """{"clients":{},"rules":[]}""");
        Directory.CreateDirectory(_folder["prometheus"]);
        _folder.Write("prometheus/own", authority.Issue(new TestSubject("uri:mine")));
        _folder.Write("prometheus/ca.pem", authority.Pem);
        string[] own = ["public/gateway/own.pem", "public/gateway/own.key", "access/access.json", "prometheus/own.pem", "prometheus/own.key", "prometheus/ca.pem"];
        var before = Read(own);

        await RunAsync();

        Assert.Equal(before, Read(own));
        Assert.False(File.Exists(_folder["client/key"]));
        Assert.True(File.Exists(_folder["client/ca.pem"]));
    }

    private async Task RunAsync(string names = "localhost 127.0.0.1")
    {
        await Command.RunAsync(Script("certs"), ["--dir", _folder["ca"]]);
        await Command.RunAsync(
            Script("secured/prepare"), [_folder[""]], environment: new Dictionary<string, string> { ["CLUSTER_ID"] = "cluster", ["PUBLIC_NAMES"] = names });
    }

    private string Key(string name) => File.ReadAllText(_folder[name]).Trim();

    private string[] Read(params string[] names) => [.. names.Select(name => File.ReadAllText(_folder[name]))];

    private static string Script(string name) => Path.Combine(TestPaths.Root, "deploy", name);
}
