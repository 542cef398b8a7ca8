using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Cluster.Security;

namespace Cluster.Gateway.Security.Tokens;

/// <summary>Where an issuer publishes the keys of its tokens: an <c>https://</c> address that the operator names, and no token.</summary>
public static class TokenKeyAddress
{
    /// <summary>Whether it is meant as an address, be it a right one or not; else it is a file.</summary>
    public static bool IsAddress([NotNullWhen(true)] string? text) => text?.Contains("://", StringComparison.Ordinal) == true;

    /// <summary>Null for a text that is no <c>https</c> address, or has a password or a fragment in it.</summary>
    public static Uri? Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps && address.UserInfo.Length == 0 && address.Fragment.Length == 0 ? address : null;

    /// <summary>A client that asks one address and follows none that the answer names.</summary>
    /// <exception cref="IOException">The file of authorities cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It holds no certificates.</exception>
    internal static HttpClient CreateClient(TokenOptions options, int maxBytes) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = options.ReadTimeout,
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateChainPolicy = Policy(options.KeysCa),
        },
    })
    {
        Timeout = options.ReadTimeout,
        MaxResponseContentBufferSize = maxBytes,
    };

    private static X509ChainPolicy Policy(string? authorities)
    {
        var policy = TrustFiles.NoPolicy();
        if (authorities is null)
        {
            policy.TrustMode = X509ChainTrustMode.System;
        }
        else
        {
            policy.CustomTrustStore.AddRange(PemFiles.ReadCertificates(authorities));
        }

        return policy;
    }
}
