using System.Security.Cryptography;
using Cluster.Grains.Repository.Files;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Trust;

/// <summary>Follows a file of keys: a change counts from the next load on, and one that cannot be read leaves the last keys in force. Safe from any thread.</summary>
/// <param name="path">Null for no keys.</param>
internal sealed class KeyFile<T>(string? path, Func<string, T> parse, TimeProvider time, ILogger logger)
    where T : class
{
    private const int MaxSize = 1 << 20;

    private readonly Lock _lock = new();
    private FileStat? _stat;
    private T? _keys;

    public bool IsGiven => path is not null;

    /// <summary>What the file holds now.</summary>
    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE: it could never be read.</exception>
    public T Current()
    {
        lock (_lock)
        {
            Refresh();
            return _keys ?? throw Refusal.Of("the file of this silo's keys cannot be read; its log says why");
        }
    }

    /// <summary>The keys of a file.</summary>
    /// <exception cref="IOException">It cannot be read, or is too large.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="FormatException">It holds no keys.</exception>
    public static T Read(string path, Func<string, T> parse)
    {
        // The operator's word, which may be a link: container engines mount secrets so.
        if (FileStat.Read(path, followLinks: true) is not { Kind: FileKind.Regular, Size: <= MaxSize })
        {
            throw new IOException($"'{path}' is no file of at most {MaxSize} bytes");
        }

        return parse(File.ReadAllText(path));
    }

    private void Refresh()
    {
        try
        {
            var stat = FileStat.Read(path!, followLinks: true);
            if (stat is not null && stat == _stat)
            {
                return;
            }

            _keys = Read(path!, parse);
            _stat = stat?.IsFresh(time.GetUtcNow()) == true ? null : stat;
        }
        catch (Exception exception) when (IoReason.IsFileError(exception) || exception is FormatException)
        {
            Log.KeysStay(logger, path!, exception.Message);
        }
    }
}

/// <summary>Keys that models are encrypted with, by their ids. An id is the beginning of the key's SHA-256, so a file of keys needs no names.</summary>
internal sealed class EncryptionKeys
{
    public const int KeySize = 32;

    private const int IdDigits = 16;

    private readonly Dictionary<string, byte[]> _keys;

    private EncryptionKeys(Dictionary<string, byte[]> keys) => _keys = keys;

    /// <summary>Those that files can be encrypted with, in the file's order.</summary>
    public IReadOnlyCollection<string> Ids => _keys.Keys;

    /// <param name="text">One key a line, 32 bytes in base64 or hexadecimal digits; empty lines and those that begin with # are left out.</param>
    /// <exception cref="FormatException">A line is no key, or there is none.</exception>
    public static EncryptionKeys Parse(string text)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (index, line) in text.Split('\n', StringSplitOptions.TrimEntries).Index().Where(static line => line.Item.Length > 0 && line.Item[0] != '#'))
        {
            keys[IdOf(ParseKey(line) is { } key ? key : throw new FormatException($"line {index + 1} is no key of 32 bytes in base64 or hexadecimal digits"))] = key;
        }

        return keys.Count > 0 ? new EncryptionKeys(keys) : throw new FormatException("there is no key");
    }

    public static string IdOf(ReadOnlySpan<byte> key) => Convert.ToHexStringLower(SHA256.HashData(key))[..IdDigits];

    public bool TryGet(string id, out byte[] key) => _keys.TryGetValue(id, out key!);

    private static byte[]? ParseKey(string line)
    {
        var key = new byte[KeySize];
        var isKey = line.Length == 2 * KeySize
            ? Convert.FromHexString(line, key, out _, out var written) == System.Buffers.OperationStatus.Done && written == KeySize
            : Convert.TryFromBase64String(line, key, out written) && written == KeySize;
        return isKey ? key : null;
    }
}

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
