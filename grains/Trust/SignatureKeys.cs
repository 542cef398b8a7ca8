using System.Security.Cryptography;

namespace Cluster.Grains.Trust;

/// <summary>Public keys that manifests may be signed with: ECDSA on the curve P-256. An id is the beginning of the SHA-256 of the key in its X.509 form.</summary>
internal sealed class SignatureKeys
{
    private const string CurveId = "1.2.840.10045.3.1.7";
    private const string Label = "PUBLIC KEY";
    private const int IdDigits = 16;

    private readonly Dictionary<string, byte[]> _keys;

    private SignatureKeys(Dictionary<string, byte[]> keys) => _keys = keys;

    public IReadOnlyCollection<string> Ids => _keys.Keys;

    /// <param name="text">PEM blocks; text between them is left out.</param>
    /// <exception cref="FormatException">A block is no such key, or there is none.</exception>
    public static SignatureKeys Parse(string text)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var rest = text.AsSpan();
        for (var count = 1; PemEncoding.TryFind(rest, out var found); count++)
        {
            if (!rest[found.Label].SequenceEqual(Label))
            {
                throw new FormatException($"block {count} is a {Refusal.Quote(rest[found.Label].ToString())}, expected a {Label}");
            }

            using var key = Import(rest[found.Location], count);
            keys[IdOf(key)] = key.ExportSubjectPublicKeyInfo();
            rest = rest[found.Location.End..];
        }

        return keys.Count > 0 ? new SignatureKeys(keys) : throw new FormatException("there is no PEM block of a public key");
    }

    public static string IdOf(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..IdDigits];

    /// <summary>Whether the curve is P-256.</summary>
    public static bool IsRight(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve is { IsNamed: true, Oid.Value: CurveId };

    /// <returns>Null if there is no such key.</returns>
    public bool? Verify(string id, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!_keys.TryGetValue(id, out var bytes))
        {
            return null;
        }

        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(bytes, out _);
        return key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static ECDsa Import(ReadOnlySpan<char> pem, int count)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return IsRight(key) ? key : throw new FormatException($"key {count} is not on the curve P-256");
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new FormatException($"block {count} is no ECDSA key", exception);
        }
        catch (FormatException)
        {
            key.Dispose();
            throw;
        }
    }
}
