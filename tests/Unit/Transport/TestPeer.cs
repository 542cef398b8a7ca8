using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.Extensions.Logging;

namespace Cluster.Unit.Transport;

/// <summary>A process of the cluster "tests" as far as its TLS goes, with files of its own.</summary>
internal sealed class TestPeer : IDisposable
{
    public const string Silo = "cluster://tests/silo";

    private readonly MetricsHost _metrics = new();
    private readonly PeerTls _tls;

    /// <param name="authority">Whom this process trusts.</param>
    /// <param name="certificate">What it shows; its key is written too.</param>
    public TestPeer(TestAuthority authority, X509Certificate2 certificate, TimeProvider? time = null, PeerTlsLimits? limits = null, bool withRevocations = false, params TestAuthority[] between)
    {
        time ??= TimeProvider.System;
        var (pem, key) = Folder.Write("own", certificate, between);
        var authorities = Folder.Write("ca.pem", authority.Pem);
        var revocations = withRevocations ? Folder.Write("crl.pem", authority.RevocationListPem()) : null;
        _tls = new PeerTls(new PeerTlsFiles(pem, key, authorities, revocations, "tests"), time, new Logger<PeerTls>(new LoggerFactory([StartLog])));
        Channels = new TlsChannelFactory(_tls, new PeerRefusals(_metrics.Registry, time, new Logger<PeerRefusals>(new LoggerFactory([Log]))), limits ?? new PeerTlsLimits(), time);
    }

    public CertificateFolder Folder { get; } = new();

    /// <summary>Of refusals.</summary>
    public LogSink Log { get; } = new();

    /// <summary>Of its own files.</summary>
    public LogSink StartLog { get; } = new();

    public TlsChannelFactory Channels { get; }

    public static TestPeer Create(TestAuthority authority, string name = Silo, TimeProvider? time = null, PeerTlsLimits? limits = null)
    {
        using var certificate = authority.Issue(new TestSubject(name));
        return new TestPeer(authority, certificate, time, limits);
    }

    public Task<IFrameChannel> OpenAsync(Socket socket, bool isServer) => Channels.OpenAsync(socket, isServer, CancellationToken.None).AsTask().Soon();

    /// <summary>Peers that were refused for a reason.</summary>
    public double Refusals(PeerFault fault) => _metrics.Registry.Counter("cluster_peer_refusals", "", "reason").Acquire(SnakeCase(fault)).Value;

    public void Dispose()
    {
        _tls.Dispose();
        _metrics.Dispose();
        Folder.Dispose();
        Log.Dispose();
        StartLog.Dispose();
    }

    private static string SnakeCase(PeerFault fault) => JsonNamingPolicy.SnakeCaseLower.ConvertName($"{fault}");
}
