using System.Security.Cryptography;

namespace Cluster.Grains.Trust;

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
