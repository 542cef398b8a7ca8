using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Cluster.Unit.Gateway.Security;

/// <summary>Signed tokens, and the public keys that know them, as an issuer makes them.</summary>
internal static class TestTokens
{
    public const string Issuer = "issuer";
    public const string Audience = "cluster";

    public static string KeySet(ECDsa key, string id = "1")
    {
        var point = key.ExportParameters(false).Q;
        return $$"""{"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":"{{id}}","x":"{{Base64UrlEncoder.Encode(point.X)}}","y":"{{Base64UrlEncoder.Encode(point.Y)}}"}]}""";
    }

    /// <param name="expires">From now on; null for 5 minutes.</param>
    /// <param name="notBefore">From now on; null for no such claim.</param>
    /// <param name="keyId">Null for no such header.</param>
    public static string Sign(
        ECDsa key, TimeProvider time, string issuer = Issuer, string audience = Audience, string subject = "me", TimeSpan? expires = null, TimeSpan? notBefore = null, string? keyId = null)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            Expires = now + (expires ?? TimeSpan.FromMinutes(5)),
            NotBefore = notBefore is { } from ? now + from : null,
            Claims = new Dictionary<string, object> { ["sub"] = subject },
            SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(key) { KeyId = keyId }, SecurityAlgorithms.EcdsaSha256),
        });
    }
}
