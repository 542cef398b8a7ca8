using System.Security.Cryptography;
using System.Text;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Tokens;
using Cluster.Tests.Common;
using Microsoft.Extensions.Time.Testing;
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
        _validator = new TokenValidator(new TokenOptions { Issuer = TestTokens.Issuer, Audience = TestTokens.Audience, ClockSkew = TimeSpan.FromSeconds(5) }, _time);
        _validator.Use(TestTokens.KeySet(_key));
    }

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task Validate_AGoodToken_NamesItsSubjectUntilItEnds()
    {
        var token = TestTokens.Sign(_key, _time);

        Assert.Equal("me", await SubjectAsync(token));
        Assert.Equal("me", await SubjectAsync(token));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(await SubjectAsync(token));
    }

    [Fact]
    public async Task Validate_AnythingElse_NamesNone()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var good = TestTokens.Sign(_key, _time).Split('.');
        string[] tokens =
        [
            TestTokens.Sign(other, _time),
            TestTokens.Sign(_key, _time, issuer: "another"),
            TestTokens.Sign(_key, _time, audience: "another"),
            TestTokens.Sign(_key, _time, expires: TimeSpan.FromMinutes(-1)),
            TestTokens.Sign(_key, _time, notBefore: TimeSpan.FromMinutes(1)),
            TestTokens.Sign(_key, _time, subject: ""),
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
        foreach (var secret in new[] { _key.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), Encoding.ASCII.GetBytes(TestTokens.KeySet(_key)) })
        {
            Assert.Null(await SubjectAsync($"{head}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(head)))}"));
        }
    }

    [Fact]
    public async Task Use_OtherKeys_ForgetsWhatWasGood()
    {
        var token = TestTokens.Sign(_key, _time);
        Assert.Equal("me", await SubjectAsync(token));
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        _validator.Use(TestTokens.KeySet(other));

        Assert.Null(await SubjectAsync(token));
        Assert.Equal("me", await SubjectAsync(TestTokens.Sign(other, _time)));
    }

    [Fact]
    public void Use_NoKeys_IsAMistake()
    {
        Assert.ThrowsAny<ArgumentException>(() => _validator.Use("{\"keys\":[]}"));
        Assert.ThrowsAny<ArgumentException>(() => _validator.Use("nothing"));
    }

    [Fact]
    public Task Validate_DamagedTokens_NameTheirSubjectOrNone() => FuzzAsync(2000);

    [Fact, Trait("Category", "Soak")]
    public Task Validate_ManyDamagedTokens_NameTheirSubjectOrNone() => FuzzAsync(100_000);

    private async Task FuzzAsync(int few)
    {
        var random = new Random(FuzzRun.Seed(15));
        var whole = Encoding.ASCII.GetBytes(TestTokens.Sign(_key, _time));
        for (var i = FuzzRun.Cases(few); i > 0; i--)
        {
            var bytes = random.Next(2) == 0 ? DamageText(whole, random) : DamageContent(whole, random);
            var subject = await SubjectAsync(Encoding.ASCII.GetString(bytes));
            Assert.True(subject is null || bytes.AsSpan().SequenceEqual(whole) || IsSameSignature(bytes, whole), Encoding.ASCII.GetString(bytes));
        }
    }

    private static byte[] DamageText(byte[] whole, Random random)
    {
        var bytes = (byte[])whole.Clone();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(33, 127);
        }

        return random.Next(8) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    /// <summary>What is inside base64: JSON of the header or the claims, with bytes changed, cut or repeated.</summary>
    private static byte[] DamageContent(byte[] whole, Random random)
    {
        var parts = Encoding.ASCII.GetString(whole).Split('.');
        var part = random.Next(2);
        var bytes = Base64UrlEncoder.DecodeBytes(parts[part]).ToList();
        for (var changes = random.Next(1, 4); changes > 0 && bytes.Count > 1; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] = (byte)"{}[],:\"09.-e \\"[random.Next(14)];
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 8), bytes.Count - at));
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)));
                    break;
            }
        }

        parts[part] = Base64UrlEncoder.Encode([.. bytes]);
        return Encoding.ASCII.GetBytes(string.Join('.', parts));
    }

    /// <summary>The last letter of base64 has bits that mean nothing.</summary>
    private static bool IsSameSignature(byte[] one, byte[] other) => one.AsSpan(0, one.Length - 1).SequenceEqual(other.AsSpan(0, other.Length - 1));

    private static string Encode(string text) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(text));

    private static string Unsigned(string algorithm) =>
        $"{Encode($$"""{"alg":"{{algorithm}}","typ":"JWT"}""")}.{Encode("""{"sub":"me","iss":"issuer","aud":"cluster","exp":4102444800}""")}.";

    private async Task<string?> SubjectAsync(string token) => (await _validator.ValidateAsync(token)).Subject;
}
