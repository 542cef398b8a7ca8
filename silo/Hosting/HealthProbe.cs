using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
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

    /// <summary>Writes one line that says what was found, and returns the exit code.</summary>
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
        var (isReady, found) = await AskAsync(new Uri($"{(options.TlsCert is null ? "http" : "https")}://{endpoint}/v2/health/ready"), options, cancellationToken).ConfigureAwait(false);
        await output.WriteLineAsync($"{(isReady ? "ready" : "not ready")}: {endpoint} {found}").ConfigureAwait(false);
        return isReady ? Ready : NotReady;
    }

    private static async Task<(bool IsReady, string Found)> AskAsync(Uri url, ServeOptions options, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, SslOptions = Trust(options) }) { Timeout = Timeout };
            using var answer = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            return (answer.StatusCode == HttpStatusCode.OK, string.Create(CultureInfo.InvariantCulture, $"answers {(int)answer.StatusCode}"));
        }
        catch (HttpRequestException exception)
        {
            return (false, $"cannot be asked: {exception.InnerException?.Message ?? exception.Message}");
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
    private static SslClientAuthenticationOptions Trust(ServeOptions options)
    {
        var trust = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = TrustFiles.NoPolicy(),
            RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null,
        };
        if (options is { TlsCert: { } file, TlsKey: { } key } && TryRead(file, key) is { } own)
        {
            trust.ClientCertificateContext = SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);
        }

        return trust;
    }

    private static X509Certificate2? TryRead(string file, string key)
    {
        try
        {
            return PemFiles.ReadPair(file, key);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException)
        {
            return null;
        }
    }

    /// <summary>Who listens on every address listens on loopback.</summary>
    private static IPAddress Reachable(IPAddress bind) =>
        bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any)
            ? bind.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback
            : bind;
}
