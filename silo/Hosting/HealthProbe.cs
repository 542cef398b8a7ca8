using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Security;
using Cluster.Silo.Options;

namespace Cluster.Silo.Hosting;

/// <summary>
/// The command <c>health</c>: asks the server of this machine whether it is ready. It takes the options, environment and file that the server was started with. For container engines, whose images hold no other program that could ask.
/// </summary>
internal static class HealthProbe
{
    /// <summary>The server is ready.</summary>
    public const int Ready = 0;

    /// <summary>It is not, or does not answer.</summary>
    public const int NotReady = 1;

    /// <summary>The options do not say where it listens.</summary>
    public const int UsageError = 64;

    /// <summary>For the answer. A server that needs longer for it than this is not fit to serve.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    /// <summary>Writes one line with the result, and returns the exit code.</summary>
    /// <param name="options">Those of the server; only where it listens for HTTP is looked at.</param>
    public static async Task<int> RunAsync(ServeOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        if (!IPAddress.TryParse(options.Bind, out var bind) || options.HttpPort is < 1 or > 65535)
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"error: no server can be asked at --bind '{options.Bind}' and --http-port '{options.HttpPort}'")).ConfigureAwait(false);
            return UsageError;
        }

        var endpoint = new IPEndPoint(Reachable(bind), options.HttpPort);
        using var own = OwnCertificate.Read(options);
        var (isReady, found) = await AskAsync(endpoint, own, cancellationToken).ConfigureAwait(false);
        await output.WriteLineAsync($"{(isReady ? "ready" : "not ready")}: {endpoint} {found}").ConfigureAwait(false);
        return isReady ? Ready : NotReady;
    }

    private static async Task<(bool IsReady, string Found)> AskAsync(IPEndPoint endpoint, OwnCertificate own, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, SslOptions = Trust(own) }) { Timeout = Timeout };
            var url = new Uri($"{(own.IsAsked ? "https" : "http")}://{endpoint}/v2/health/ready");
            using var answer = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            var hint = answer.StatusCode == HttpStatusCode.Unauthorized ? $": it tells its health to known clients alone; {own.Expected}" : "";
            return (answer.StatusCode == HttpStatusCode.OK, string.Create(CultureInfo.InvariantCulture, $"answers {(int)answer.StatusCode}{hint}"));
        }
        catch (HttpRequestException exception)
        {
            return (false, exception.InnerException is SocketException none ? $"cannot be asked: {none.Message}" : own.Explain(exception));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (false, string.Create(CultureInfo.InvariantCulture, $"does not answer within {Timeout.TotalSeconds:0} s"));
        }
    }

    /// <summary>
    /// The server is this machine's, so that its certificate says nothing: it may be one from before files that are wrong. It is shown the certificate of the options, by which it knows its
    /// own probe.
    /// </summary>
    private static SslClientAuthenticationOptions Trust(OwnCertificate own) => new()
    {
        CertificateChainPolicy = TrustFiles.NoPolicy(),
        RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null,
        ClientCertificateContext = own.Certificate is { } certificate ? SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true) : null,
    };

    /// <summary>Who listens on every address listens on loopback.</summary>
    private static IPAddress Reachable(IPAddress bind) =>
        bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any)
            ? bind.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback
            : bind;
}

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
