using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Cluster.Contracts.Logging;
using Cluster.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Security;

/// <summary>
/// TLS on the ports of clients. Certificate, key, authorities and revocation lists are read again when their files change. Each handshake takes those in force then,
/// and open connections go on.
/// </summary>
public sealed class EndpointTls : IDisposable
{
    private readonly EndpointTlsFiles _options;
    private readonly AccessOptions _access;
    private readonly CertificateFiles _certificate;
    private readonly TrustFiles? _trust;
    private readonly CauseLimiter _refusals;
    private readonly ILogger<EndpointTls> _logger;

    /// <param name="options">With a certificate and its key.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file does not hold what it should.</exception>
    public EndpointTls(EndpointTlsFiles options, AccessOptions access, TimeProvider time, ILogger<EndpointTls> logger)
    {
        _access = access;
        _options = options;
        _logger = logger;
        _refusals = new CauseLimiter(time);
        _certificate = new CertificateFiles(options.Certificate!, options.Key!, time, logger);
        _trust = options.ClientAuthorities is { } authorities ? new TrustFiles(authorities, options.Revocations, time, logger) : null;
    }

    /// <summary>When the certificate in force ends.</summary>
    public DateTimeOffset NotAfter => _certificate.NotAfter;

    /// <summary>Has a port speak TLS 1.3 or 1.2 alone.</summary>
    public void Protect(ListenOptions listen)
    {
        listen.Use(next => connection => ServeAsync(next, connection));
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Handshake()) });
    }

    /// <summary>Whether it is this server's own certificate, which its health probe shows.</summary>
    public bool IsOwn(X509Certificate2 certificate) => certificate.RawDataMemory.Span.SequenceEqual(_certificate.Current.TargetCertificate.RawDataMemory.Span);

    public void Dispose()
    {
        _certificate.Dispose();
        _trust?.Dispose();
    }

    private SslServerAuthenticationOptions Handshake() => new()
    {
        ServerCertificateContext = _certificate.Current,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        // The health probe shows the server's own, where health is not for all.
        ClientCertificateRequired = _trust is not null || !_access.OpenHealth,
        CertificateChainPolicy = TrustFiles.NoPolicy(),
        RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsTrusted(certificate as X509Certificate2, chain),
    };

    /// <summary>What is no TLS of ours ends in an exception that the web server does not expect, and would log each time.</summary>
    private async Task ServeAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        catch (NotSupportedException)
        {
            Refuse("its handshake is none of TLS 1.2 or 1.3");
        }
    }

    private bool IsTrusted(X509Certificate2? certificate, X509Chain? chain)
    {
        if (certificate is null)
        {
            return _trust is null || _options.ClientCertificate == ClientCertificateUse.Optional || !Refuse("it shows no certificate");
        }

        if (IsOwn(certificate))
        {
            return true;
        }

        var refusal = _trust is null ? "it is shown though none is asked for" : _trust.Check(certificate, chain?.ChainPolicy.ExtraStore, CertificateUse.Client)?.Text;
        return refusal is null || !Refuse(refusal);
    }

    private bool Refuse(string reason)
    {
        if (_refusals.TryPass(reason.Split(':')[0], out var heldBack))
        {
            Log.CertificateRefused(_logger, reason, heldBack);
        }

        return true;
    }
}

/// <summary>What TLS needs on the ports of clients; the program fills it from the command line.</summary>
public sealed class EndpointTlsFiles
{
    /// <summary>PEM, the server's certificate first, then those between it and its root; null: no TLS.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM, the key of the certificate.</summary>
    public string? Key { get; init; }

    /// <summary>PEM, the authorities of clients' certificates; null: none is asked for.</summary>
    public string? ClientAuthorities { get; init; }

    /// <summary>Revocation lists of these; null: none is asked.</summary>
    public string? Revocations { get; init; }

    public ClientCertificateUse ClientCertificate { get; init; }
}

/// <summary>Whether a client may do without a certificate where authorities are given.</summary>
public enum ClientCertificateUse
{
    /// <summary>Every connection shows one.</summary>
    Required,

    /// <summary>A connection that shows one must show a good one; others name themselves by key or token.</summary>
    Optional,
}
