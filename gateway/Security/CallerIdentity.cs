using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Cluster.Gateway.Security.Policy;
using Cluster.Gateway.Security.Tokens;
using Cluster.Security;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Security;

/// <summary>
/// Finds out which client sent a request. It takes an API key (<c>x-api-key</c>, or <c>Authorization: Bearer id.secret</c>) or a signed token (<c>Authorization:
/// Bearer</c> with a JWT). Else it takes the certificate of the connection, which TLS has checked. A key or token goes before the certificate, and must be good: a
/// wrong key is refused even where the certificate would do.
/// </summary>
internal sealed class CallerIdentity(AccessControl control, TokenValidator tokens, TimeProvider time)
{
    private const string KeyHeader = "x-api-key";
    private const string Bearer = "Bearer ";
    private const string CommonName = "2.5.4.3";

    /// <summary>A connection's requests share their certificate.</summary>
    private readonly ConditionalWeakTable<X509Certificate2, List<string>> _names = [];

    /// <returns>Null with the mistake in the request's credential. The text never says whether a name is known.</returns>
    public async ValueTask<(ClientRights? Client, string Reason)> FindAsync(HttpContext http)
    {
        var headers = http.Request.Headers;
        var keys = headers[KeyHeader];
        var authorizations = headers.Authorization;
        switch (keys.Count, authorizations.Count)
        {
            case (0, 0):
                return ByCertificate(http);
            case (1, 0):
                return ByKey(keys[0]!);
            case (0, 1) when authorizations[0]!.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase):
                var text = authorizations[0]![Bearer.Length..].Trim();
                return text.AsSpan().Count('.') == 1 ? ByKey(text) : await ByTokenAsync(text).ConfigureAwait(false);
            case (0, 1):
                return (null, "its Authorization is no Bearer");
            default:
                return (null, $"it has {KeyHeader} or Authorization more than once, expected one of them");
        }
    }

    private (ClientRights? Client, string Reason) ByKey(string text) =>
        control.Policy.FindKey(text, time.GetUtcNow(), out var isExpired) is { } client && !isExpired ? (client, "")
            : (null, isExpired ? "its API key has expired" : "its API key is not known");

    private async ValueTask<(ClientRights? Client, string Reason)> ByTokenAsync(string text)
    {
        var (subject, _) = await tokens.ValidateAsync(text).ConfigureAwait(false);
        return subject is not null && control.Policy.FindToken(subject) is { } client ? (client, "") : (null, "its token is not valid here");
    }

    private (ClientRights? Client, string Reason) ByCertificate(HttpContext http)
    {
        if (http.Connection.ClientCertificate is not { } certificate)
        {
            return (null, "it brought no API key, token or client certificate");
        }

        // The names of a connection's certificate do not change; each request asks the rules of now.
        var names = _names.GetValue(certificate, static certificate => NamesOf(certificate));
        return control.Policy.FindCertificate(names) is { } client ? (client, "") : (null, "its client certificate names no client");
    }

    /// <summary>The common name as <c>CN=…</c>, and the alternative names.</summary>
    private static List<string> NamesOf(X509Certificate2 certificate)
    {
        var names = new List<string>();
        var common = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(static part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName)
            .Select(static part => part.GetSingleElementValue())
            .ToList();

        // Of several it is not clear which one the authority has checked.
        if (common is [{ } name])
        {
            names.Add("CN=" + name);
        }

        names.AddRange(certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(static extension => extension.EnumerateDnsNames()));
        names.AddRange(SubjectNames.UrisOf(certificate));
        return names;
    }
}
