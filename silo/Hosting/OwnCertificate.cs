using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Security;
using Cluster.Silo.Options;

namespace Cluster.Silo.Hosting;

/// <summary>
/// The certificate of the probed server, which the probe shows if that server asks for certificates. It also explains a refusal that the certificate causes.
/// </summary>
internal sealed class OwnCertificate : IDisposable
{
    private readonly string? _mistake;

    private OwnCertificate(bool isAsked, X509Certificate2? certificate, string? mistake)
    {
        IsAsked = isAsked;
        Certificate = certificate;
        _mistake = mistake;
    }

    /// <summary>Whether the server is asked over TLS.</summary>
    public bool IsAsked { get; }

    /// <summary>With its key; null without TLS, or where the files are wrong. A server that runs may have read them before they became so.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>What is wrong with the options, or would be right.</summary>
    public string Expected => !IsAsked ? "expected its --tls-cert and --tls-key"
        : _mistake is not null ? $"its certificate cannot be shown, as {_mistake}"
        : "expected its own certificate in --tls-cert";

    public static OwnCertificate Read(ServeOptions options)
    {
        if (options is not { TlsCert: { } file, TlsKey: { } key })
        {
            return new OwnCertificate(options.TlsCert is not null, null, null);
        }

        try
        {
            return new OwnCertificate(isAsked: true, PemFiles.ReadPair(file, key), null);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException)
        {
            return new OwnCertificate(isAsked: true, null, exception.Message);
        }
    }

    /// <summary>Why a server that is there gave no answer.</summary>
    public string Explain(HttpRequestException exception) => exception switch
    {
        _ when !IsAsked => $"gives no answer in plain HTTP; if it has TLS, {Expected}",

        // Bytes that are none of TLS. An alert of the other end is an exception inside.
        { InnerException: AuthenticationException { InnerException: null } } => "speaks no TLS, though --tls-cert is given",
        _ => $"refuses the probe's TLS; {Expected}",
    };

    public void Dispose() => Certificate?.Dispose();
}
