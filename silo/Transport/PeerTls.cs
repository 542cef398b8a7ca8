using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Cluster.Security;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Transport;

/// <summary>Files of the certificate that this process shows its peers, and of whom it takes for one.</summary>
/// <param name="Revocations">Null: none is asked.</param>
/// <param name="ClusterId">The cluster that peers must be of.</param>
internal sealed record PeerTlsFiles(string Certificate, string Key, string Authorities, string? Revocations, string ClusterId);

/// <summary>What a handshake with a peer is made with, always by the files as they are: connections live on when those change.</summary>
internal sealed class PeerTls : IDisposable
{
    private const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private readonly string _clusterId;
    private readonly CertificateFiles _own;
    private readonly TrustFiles _trust;

    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file does not hold what it should.</exception>
    public PeerTls(PeerTlsFiles files, TimeProvider time, ILogger<PeerTls> logger)
    {
        _clusterId = files.ClusterId;
        _own = new CertificateFiles(files.Certificate, files.Key, time, logger);
        _trust = new TrustFiles(files.Authorities, files.Revocations, time, logger);
        foreach (var use in Enum.GetValues<CertificateUse>())
        {
            // Peers that have the same files refuse this process: better said here than by each of them.
            if (_trust.Check(_own.Current.TargetCertificate, [.. _own.Current.IntermediateCertificates], use) is { } refusal)
            {
                PeerLog.OwnNotTrusted(logger, refusal.Text);
                break;
            }
        }
    }

    /// <summary>When the certificate of this process ends.</summary>
    public DateTimeOffset NotAfter => _own.NotAfter;

    /// <summary>When the first revocation list is out of date; null without lists.</summary>
    public DateTimeOffset? RevocationsEnd => _trust.RevocationsEnd;

    /// <summary>For the end that was connected to.</summary>
    /// <param name="refused">Told why the peer is refused.</param>
    public SslServerAuthenticationOptions ServerOptions(Action<PeerRefusal> refused) => new()
    {
        ServerCertificateContext = _own.Current,
        ClientCertificateRequired = true,
        EnabledSslProtocols = Protocols,
        AllowRenegotiation = false,
        AllowTlsResume = false,
        CertificateChainPolicy = TrustFiles.NoPolicy(),
        RemoteCertificateValidationCallback = (_, certificate, chain, _) => Check(certificate, chain, CertificateUse.Client, refused),
    };

    /// <summary>For the end that connected. No name of a host is sent or checked: the role in the certificate is what counts.</summary>
    /// <inheritdoc cref="ServerOptions"/>
    public SslClientAuthenticationOptions ClientOptions(Action<PeerRefusal> refused) => new()
    {
        ClientCertificateContext = _own.Current,
        EnabledSslProtocols = Protocols,
        AllowRenegotiation = false,
        AllowTlsResume = false,
        CertificateChainPolicy = TrustFiles.NoPolicy(),
        RemoteCertificateValidationCallback = (_, certificate, chain, _) => Check(certificate, chain, CertificateUse.Server, refused),
    };

    public void Dispose()
    {
        _own.Dispose();
        _trust.Dispose();
    }

    private bool Check(X509Certificate? shown, X509Chain? chain, CertificateUse use, Action<PeerRefusal> refused)
    {
        var refusal = shown is X509Certificate2 certificate ? Check(certificate, chain, use) : new PeerRefusal(PeerFault.NoCertificate, "it showed no certificate");
        if (refusal is not null)
        {
            refused(refusal);
        }

        return refusal is null;
    }

    private PeerRefusal? Check(X509Certificate2 certificate, X509Chain? chain, CertificateUse use)
    {
        if (_trust.Check(certificate, chain?.ChainPolicy.ExtraStore, use) is { } untrusted)
        {
            return new PeerRefusal(PeerRefusal.Of(untrusted.Fault), $"its certificate is not trusted, {untrusted.Text}");
        }

        return PeerIdentity.Check(certificate, _clusterId) is { } wrong ? new PeerRefusal(PeerFault.WrongRole, wrong) : null;
    }
}

/// <summary>
/// Who a process of a cluster is, by its certificate: a URI among the alternative names, <c>cluster://&lt;cluster id&gt;/silo</c> or <c>…/gateway</c>. Addresses say nothing, as
/// silos move; a certificate of the same authority that a client has, or a process of another cluster, is not inside.
/// </summary>
internal static class PeerIdentity
{
    private const string Scheme = "cluster://";

    private static readonly string[] Roles = ["silo", "gateway"];

    /// <returns>Null: it is a process of this cluster. Else the mistake, for the log.</returns>
    public static string? Check(X509Certificate2 certificate, string clusterId)
    {
        var names = SubjectNames.UrisOf(certificate);
        if (names.Any(name => Roles.Any(role => name == $"{Scheme}{clusterId}/{role}")))
        {
            return null;
        }

        var expected = string.Join(" or ", Roles.Select(role => $"{Scheme}{clusterId}/{role}"));
        var own = names.FirstOrDefault(static name => name.StartsWith(Scheme, StringComparison.Ordinal));
        return own is null ? $"its certificate names no role in a cluster, expected the URI {expected}" : $"its certificate is that of {Printable(own)}, expected the URI {expected}";
    }

    /// <summary>An authority that signs for others may be made to sign anything.</summary>
    private static string Printable(string name) => string.Concat(name.Take(200).Select(static letter => char.IsControl(letter) ? '?' : letter));
}

/// <summary>What the meter "Cluster.Security" tells of TLS between processes.</summary>
internal sealed class PeerMetrics
{
    public const string MeterName = "Cluster.Security";

    public PeerMetrics(IMeterFactory meters, PeerTls tls)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.peer_certificate.end_time", () => tls.NotAfter.ToUnixTimeSeconds(), "s", "End of this process' certificate for its peers, since the Unix epoch");
        if (tls.RevocationsEnd is not null)
        {
            meter.CreateObservableGauge("cluster.peer_revocations.end_time", () => tls.RevocationsEnd!.Value.ToUnixTimeSeconds(), "s", "When the first revocation list of peers is out of date, since the Unix epoch");
        }
    }
}
