using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Silo.Hosting;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Cluster.Unit.Tracing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

/// <summary>The ports for clients over TLS: which certificates, keys and tokens get which answer, and that all of it is taken anew while requests run.</summary>
public sealed class EndpointTlsTests : IAsyncLifetime
{
    private static readonly TimeSpan InForce = TimeSpan.FromSeconds(2);

    private readonly TestAuthority _authority = TestAuthority.Create(TimeProvider.System);
    private readonly TestAuthority _stranger = TestAuthority.Create(TimeProvider.System, "CN=Another authority");
    private readonly CertificateFolder _files = new();
    private readonly TestAccess _access = new();
    private readonly Dictionary<string, X509Certificate2> _certificates = [];
    private WebApplication? _app;
    private Uri[] _ports = [];

    public ValueTask InitializeAsync()
    {
        _certificates["right"] = Issue(new TestSubject("urn:alice"));
        _certificates["unnamed"] = Issue(new TestSubject("urn:nosuch"));
        _certificates["expired"] = Issue(new TestSubject(["urn:alice"], From: TimeSpan.FromDays(-2), To: TimeSpan.FromDays(-1)));
        _certificates["early"] = Issue(new TestSubject(["urn:alice"], From: TimeSpan.FromDays(1)));
        _certificates["role"] = Issue(new TestSubject(["urn:alice"], ForClient: false));
        _certificates["revoked"] = Issue(new TestSubject("urn:alice"));
        _certificates["stranger"] = _stranger.Issue(new TestSubject("urn:alice"));
        _authority.Revoke(_certificates["revoked"]);
        WriteServer();
        _files.Write("another", _certificates["role"]);
        _files.Write("stranger", _certificates["stranger"]);
        _files.Write("mixed.pem", _authority.Pem);
        _files.Write("mixed.key", File.ReadAllText(_files["stranger.key"]));
        _files.Write("ca.pem", _authority.Pem);
        _files.Write("crl.pem", _authority.RevocationListPem());
        WriteAccess("digits");
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.EndAsync();
        }

        foreach (var certificate in _certificates.Values)
        {
            certificate.Dispose();
        }

        _files.Dispose();
        _access.Dispose();
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public async Task CertificateRequired_OnlyTheRightOneConnects()
    {
        await StartAsync("Required");
        (string? Certificate, bool Connects)[] cases =
            [("right", true), ("unnamed", true), (null, false), ("expired", false), ("early", false), ("role", false), ("revoked", false), ("stranger", false)];
        foreach (var (certificate, connects) in cases)
        {
            foreach (var (port, protocols) in _ports.SelectMany(static port => new[] { SslProtocols.Tls12, SslProtocols.Tls13 }.Select(protocols => (port, protocols))))
            {
                Assert.Equal((certificate, connects), (certificate, await AskAsync(port, certificate, null, protocols) is not null));
            }
        }
    }

    /// <summary>Each certificate with each identity on each port: what is shown must be good, and names the client where no key or token does.</summary>
    [Fact]
    public async Task CertificateOptional_WithEachIdentityOnEachPort_IsAnsweredAsDocumented()
    {
        var management = FreePort.Take();
        using var issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var another = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _access.Write("keys.json", TestTokens.KeySet(issuer));
        await StartAsync(
            "Optional",
            ("Cluster:ManagementPort", $"{management}"),
            ("Cluster:TokenKeys", _access["keys.json"]),
            ("Tokens:Issuer", TestTokens.Issuer),
            ("Tokens:Audience", TestTokens.Audience));
        _ports = [.. _ports.Take(2), new Uri($"https://127.0.0.1:{management}")];
        var good = TestTokens.Sign(issuer, TimeProvider.System).Split('.');
        (string Name, string? Bearer, int? Status)[] identities =
        [
            ("none", null, null),
            ("key", "bob.key", 200),
            ("wrong key", "bob.wrong", 401),
            ("expired key", "old.key", 401),
            ("token", string.Join('.', good), 200),
            ("expired token", TestTokens.Sign(issuer, TimeProvider.System, expires: TimeSpan.FromHours(-1)), 401),
            ("token by another key", TestTokens.Sign(another, TimeProvider.System), 401),
            ("token without an algorithm", $"{Base64UrlEncoder.Encode("""{"alg":"none"}""")}.{good[1]}.", 401),
            ("token by a symmetric algorithm", $"{Base64UrlEncoder.Encode("""{"alg":"HS256"}""")}.{good[1]}.{good[2]}", 401),
            ("no token", "a.b.c", 401),
        ];
        (string? Name, bool Connects, int Alone)[] certificates =
        [
            ("right", true, 200), ("unnamed", true, 401), (null, true, 401), ("expired", false, 0), ("early", false, 0), ("role", false, 0), ("revoked", false, 0), ("stranger", false, 0),
        ];
        foreach (var (port, certificate) in _ports.SelectMany(port => certificates.Select(certificate => (port, certificate))))
        {
            using var http = Client(port, certificate.Name, SslProtocols.None);
            foreach (var identity in identities)
            {
                int? expected = certificate.Connects ? identity.Status ?? certificate.Alone : null;
                Assert.Equal((port, certificate.Name, identity.Name, expected), (port, certificate.Name, identity.Name, await AskAsync(http, identity.Bearer)));
            }
        }
    }

    [Fact]
    public async Task OlderVersions_AndPlainHttp_AreRefused()
    {
        await StartAsync("Optional");
        foreach (var port in _ports)
        {
#pragma warning disable SYSLIB0039, CA5397 // The old versions are what is tried.
            Assert.Null(await AskAsync(port, null, "bob.key", SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
            using var http = new HttpClient();
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync(new Uri($"http://127.0.0.1:{port.Port}/v2/health/live"), TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Management_OnAPortOfItsOwn_IsAnsweredThereAlone()
    {
        var management = FreePort.Take();
        await StartAsync("Optional", ("Cluster:ManagementPort", $"{management}"));
        _ports = [.. _ports.Take(2), new Uri($"https://127.0.0.1:{management}")];

        Assert.Equal([404, 404, 200], await Task.WhenAll(_ports.Select(port => AskAsync(port, "right", null, path: "/metrics"))));
        Assert.Equal([200, 200, 200], await Task.WhenAll(_ports.Select(port => AskAsync(port, "right", null, path: "/v2/models/digits"))));
    }

    /// <summary>Everything that can be replaced is replaced while requests run: none fails that should not, and what is taken away is away within two seconds.</summary>
    [Fact]
    public async Task Rotation_UnderLoad_FailsNoRequestAndIsInForceSoon()
    {
        await StartAsync("Optional");
        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(index => Task.Run(() => AskOnAsync(_ports[index % 2], index < 2 ? "right" : null, index < 2 ? null : "bob.key", stop.Token))).ToList();

        var before = await ServerCertificateAsync();
        WriteServer();
        await UntilAsync(async () => await ServerCertificateAsync() != before);
        WriteAccess("identity");
        await UntilAsync(async () => await AskAsync(_ports[0], null, "carol.key") == 403);
        WriteAccess("digits");
        await UntilAsync(async () => await AskAsync(_ports[0], null, "carol.key") == 200);
        _access.Write("access.json", "{ broken");
        _authority.Revoke(_certificates["unnamed"]);
        _files.Write("crl.pem", _authority.RevocationListPem());
        await UntilAsync(async () => await AskAsync(_ports[0], "unnamed", "bob.key") is null);
        Assert.Equal(200, await AskAsync(_ports[0], null, "carol.key"));
        await stop.CancelAsync();

        Assert.All(await Task.WhenAll(load), static count => Assert.InRange(count, 1, int.MaxValue));
    }

    /// <summary>As a container engine asks: with the server's own certificate, also where it asks all for one.</summary>
    [Fact]
    public async Task HealthProbe_OfAServerThatAsksForCertificates_IsAnswered()
    {
        await StartAsync("Required", ("Access:OpenHealth", "false"));

        // One model's load says nothing of the others'.
        using var http = Client(_ports[0], "right", SslProtocols.None);
        await http.UntilOkAsync("/v2/health/ready", TestContext.Current.CancellationToken);
        var output = new StringWriter();
        var options = new ServeOptions { HttpPort = _ports[0].Port, TlsCert = _files["server.pem"], TlsKey = _files["server.key"] };

        Assert.Equal(0, await HealthProbe.RunAsync(options, output, TestContext.Current.CancellationToken));
        Assert.Null(await AskAsync(_ports[0], null, null, path: "/v2/health/ready"));
    }

    /// <summary>With files that are not the server's, the probe says what is wrong with them, and the engine is told that the server is not healthy.</summary>
    [Fact]
    public async Task HealthProbe_WithAnotherCertificate_SaysWhy()
    {
        await StartAsync("Required");
        await ExpectAsync("another", "refuses the probe's TLS; expected its own certificate in --tls-cert");
        await ExpectAsync("stranger", "refuses the probe's TLS; expected its own certificate in --tls-cert");
        await ExpectAsync("missing", "refuses the probe's TLS; its certificate cannot be shown, as '");
        await ExpectAsync("mixed", "refuses the probe's TLS; its certificate cannot be shown, as '");
        await ExpectAsync(null, "gives no answer in plain HTTP; if it has TLS, expected its --tls-cert and --tls-key");
    }

    /// <summary>Health that is not for all is told to the server's own certificate.</summary>
    [Fact]
    public async Task HealthProbe_OfClosedHealth_SaysWhy()
    {
        await StartAsync("Optional", ("Access:OpenHealth", "false"));
        await ExpectAsync("missing", "answers 401: it tells its health to known clients alone; its certificate cannot be shown, as '");
        await ExpectAsync("stranger", "refuses the probe's TLS; expected its own certificate in --tls-cert");
    }

    private async Task ExpectAsync(string? certificate, string found)
    {
        var output = new StringWriter();
        var options = new ServeOptions { HttpPort = _ports[0].Port, TlsCert = certificate is null ? null : _files[$"{certificate}.pem"], TlsKey = certificate is null ? null : _files[$"{certificate}.key"] };

        Assert.Equal(HealthProbe.NotReady, await HealthProbe.RunAsync(options, output, TestContext.Current.CancellationToken));
        Assert.StartsWith($"not ready: 127.0.0.1:{_ports[0].Port} {found}", output.ToString(), StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var start = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < InForce, $"not in force after {InForce.TotalSeconds} s");
            await timer.WaitForNextTickAsync();
        }
    }

    private X509Certificate2 Issue(TestSubject subject) => _authority.Issue(subject);

    private void WriteServer()
    {
        using var server = Issue(new TestSubject([], ForClient: false));
        _files.Write("server", server);
    }

    private void WriteAccess(string model) => _access.Write(new
    {
        clients = new
        {
            alice = new { certificates = new[] { "urn:alice" } },
            dave = new { tokens = new[] { "me" } },
            bob = new { keys = new[] { TestAccess.Key("bob", "key"), TestAccess.Key("old", "key", TimeProvider.System.GetUtcNow().AddSeconds(-1)) } },
            carol = new { keys = new[] { TestAccess.Key("carol", "key") } },
        },
        rules = new object[]
        {
            new { clients = new[] { "alice", "bob", "dave" }, allow = new[] { "read", "observe" }, models = new[] { "*" } },
            new { clients = new[] { "carol" }, allow = new[] { "read" }, models = new[] { model } },
        },
    });

    private async Task StartAsync(string use, params (string Key, string Value)[] settings)
    {
        _app = await ServeHosts.StartAsync([
            ("Cluster:Models", TestPaths.DemoModels), ("Cluster:Access", _access.File), ("Cluster:TlsCert", _files["server.pem"]), ("Cluster:TlsKey", _files["server.key"]),
            ("Cluster:TlsClientCa", _files["ca.pem"]), ("Cluster:TlsCrl", _files["crl.pem"]), ("Cluster:TlsClientCert", use), .. settings]);
        _ports = [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(static address => new Uri(address))];
        using var http = Client(_ports[0], "right", SslProtocols.None);
        await http.UntilOkAsync("/v2/models/digits/ready", TestContext.Current.CancellationToken);
    }

    private HttpClient Client(Uri port, string? certificate, SslProtocols protocols)
    {
        var options = new SslClientAuthenticationOptions { EnabledSslProtocols = protocols, RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null };
        if (certificate is not null)
        {
            options.ClientCertificateContext = SslStreamCertificateContext.Create(_certificates[certificate], additionalCertificates: null, offline: true);
        }

        var isHttp2 = port.Port == _ports.ElementAtOrDefault(1)?.Port;
        return new HttpClient(new SocketsHttpHandler { SslOptions = options })
        {
            BaseAddress = port,
            DefaultRequestVersion = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <returns>The status; null where there was no connection.</returns>
    private async Task<int?> AskAsync(Uri port, string? certificate, string? key, SslProtocols protocols = SslProtocols.None, string path = "/v2/models/digits")
    {
        using var http = Client(port, certificate, protocols);
        return await AskAsync(http, key, path);
    }

    private static async Task<int?> AskAsync(HttpClient http, string? key, string path = "/v2/models/digits")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Version = http.DefaultRequestVersion, VersionPolicy = http.DefaultVersionPolicy };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        }

        try
        {
            using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            return (int)answer.StatusCode;
        }
        catch (HttpRequestException exception) when (exception.InnerException is not SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            // In TLS 1.3 the refusal of a client's certificate comes after the client's handshake.
            return null;
        }
    }

    /// <summary>Every second request on a connection of its own.</summary>
    private async Task<int> AskOnAsync(Uri port, string? certificate, string? key, CancellationToken stop)
    {
        using var kept = Client(port, certificate, SslProtocols.None);
        var count = 0;
        while (!stop.IsCancellationRequested)
        {
            Assert.Equal(200, await AskAsync(kept, key));
            Assert.Equal(200, await AskAsync(port, certificate, key));
            count++;
        }

        return count;
    }

    private async Task<string> ServerCertificateAsync()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _ports[0].Port);
        await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, static (_, shown, _, _) => shown is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        return tls.RemoteCertificate!.GetSerialNumberString();
    }
}
