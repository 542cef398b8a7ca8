using System.Security.Cryptography;
using System.Text;
using Cluster.Gateway.Security;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

public sealed class TokenValidatorTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly TokenValidator _validator;

    public TokenValidatorTests()
    {
        _validator = new TokenValidator(new TokenOptions { Issuer = "issuer", Audience = "cluster", ClockSkew = TimeSpan.FromSeconds(5) }, _time);
        _validator.Use(KeySet(_key));
    }

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task Validate_AGoodToken_NamesItsSubjectUntilItEnds()
    {
        var token = Token(_key);

        Assert.Equal("me", await SubjectAsync(token));
        Assert.Equal("me", await SubjectAsync(token));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(await SubjectAsync(token));
    }

    [Fact]
    public async Task Validate_AnythingElse_NamesNone()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var good = Token(_key).Split('.');
        string[] tokens =
        [
            Token(other),
            Token(_key, issuer: "another"),
            Token(_key, audience: "another"),
            Token(_key, expires: TimeSpan.FromMinutes(-1)),
            Token(_key, notBefore: TimeSpan.FromMinutes(1)),
            Token(_key, subject: ""),
            Unsigned("none"),
            Unsigned("None"),
            Unsigned("HS256"),
            $"{good[0]}.{good[1]}.",
            $"{good[0]}.{Encode("""{"sub":"admin","iss":"issuer","aud":"cluster","exp":4102444800}""")}.{good[2]}",
            "a.b.c",
            "",
            "..",
            new string('a', 100_000),
        ];

        foreach (var token in tokens)
        {
            Assert.Null(await SubjectAsync(token));
        }
    }

    /// <summary>The public key as the secret of a symmetric signature: a mistake that libraries were known for.</summary>
    [Fact]
    public async Task Validate_SymmetricSignatureByThePublicKey_NamesNone()
    {
        var head = $"{Encode("""{"alg":"HS256","typ":"JWT"}""")}.{Encode("""{"sub":"me","iss":"issuer","aud":"cluster","exp":4102444800}""")}";
        foreach (var secret in new[] { _key.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), Encoding.ASCII.GetBytes(KeySet(_key)) })
        {
            Assert.Null(await SubjectAsync($"{head}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(head)))}"));
        }
    }

    [Fact]
    public async Task Use_OtherKeys_ForgetsWhatWasGood()
    {
        var token = Token(_key);
        Assert.Equal("me", await SubjectAsync(token));
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        _validator.Use(KeySet(other));

        Assert.Null(await SubjectAsync(token));
        Assert.Equal("me", await SubjectAsync(Token(other)));
    }

    [Fact]
    public void Use_NoKeys_IsAMistake()
    {
        Assert.ThrowsAny<ArgumentException>(() => _validator.Use("{\"keys\":[]}"));
        Assert.ThrowsAny<ArgumentException>(() => _validator.Use("nothing"));
    }

    [Fact]
    public async Task Validate_DamagedTokens_NameTheirSubjectOrNone()
    {
        var random = new Random(15);
        var whole = Encoding.ASCII.GetBytes(Token(_key));
        for (var i = 0; i < 2000; i++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[random.Next(bytes.Length)] = (byte)random.Next(33, 127);
            var subject = await SubjectAsync(Encoding.ASCII.GetString(bytes));
            Assert.True(subject is null || bytes.AsSpan().SequenceEqual(whole) || IsSameSignature(bytes, whole), Encoding.ASCII.GetString(bytes));
        }
    }

    /// <summary>The last letter of base64 has bits that mean nothing.</summary>
    private static bool IsSameSignature(byte[] one, byte[] other) => one.AsSpan(0, one.Length - 1).SequenceEqual(other.AsSpan(0, other.Length - 1));

    private static string KeySet(ECDsa key)
    {
        var point = key.ExportParameters(false).Q;
        return $$"""{"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":"1","x":"{{Base64UrlEncoder.Encode(point.X)}}","y":"{{Base64UrlEncoder.Encode(point.Y)}}"}]}""";
    }

    private static string Encode(string text) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(text));

    private static string Unsigned(string algorithm) =>
        $"{Encode($$"""{"alg":"{{algorithm}}","typ":"JWT"}""")}.{Encode("""{"sub":"me","iss":"issuer","aud":"cluster","exp":4102444800}""")}.";

    private string Token(ECDsa key, string issuer = "issuer", string audience = "cluster", string subject = "me", TimeSpan? expires = null, TimeSpan? notBefore = null)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            Expires = now + (expires ?? TimeSpan.FromMinutes(5)),
            NotBefore = notBefore is { } from ? now + from : null,
            Claims = new Dictionary<string, object> { ["sub"] = subject },
            SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(key), SecurityAlgorithms.EcdsaSha256),
        });
    }

    private async Task<string?> SubjectAsync(string token) => (await _validator.ValidateAsync(token)).Subject;
}
