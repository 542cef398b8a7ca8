using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Cluster.Grains.Trust;

/// <summary>
/// How an encrypted file begins; docs/model-repository.md has the layout. Every chunk is sealed together with these bytes, so a file serves only the model, version and name
/// that it was made for.
/// </summary>
internal sealed record EncryptedHeader(string KeyId, ImmutableBytes Prefix, string Model, long Version, string Name)
{
    /// <summary>What follows the name of the file that was encrypted.</summary>
    public const string Ending = ".enc";

    public const int ChunkSize = 1 << 20;
    public const int TagSize = 16;
    public const int PrefixSize = 8;

    /// <summary>No header is longer.</summary>
    public const int MaxSize = 8192;

    private const byte Format = 1;
    private const int MaxText = 4000;

    private static ReadOnlySpan<byte> Magic => "CLMODENC"u8;

    /// <summary>A header with a prefix of its own for nonces.</summary>
    public static EncryptedHeader Create(string keyId, string model, long version, string name) =>
        new(keyId, new ImmutableBytes(RandomNumberGenerator.GetBytes(PrefixSize)), model, version, name);

    /// <summary>Reads the header at the beginning of a file.</summary>
    /// <param name="size">How long it is.</param>
    /// <returns>Null if there is none of this format.</returns>
    public static EncryptedHeader? Read(ReadOnlySpan<byte> start, out int size)
    {
        size = 0;
        var fixedSize = Magic.Length + sizeof(byte);
        if (start.Length < fixedSize || !start.StartsWith(Magic) || start[Magic.Length] != Format)
        {
            return null;
        }

        var at = fixedSize;
        if (!TryText(start, ref at, out var keyId) || start.Length - at < PrefixSize + sizeof(int) + sizeof(long))
        {
            return null;
        }

        var prefix = start.Slice(at, PrefixSize);
        var chunkSize = BinaryPrimitives.ReadInt32LittleEndian(start[(at + PrefixSize)..]);
        var version = BinaryPrimitives.ReadInt64LittleEndian(start[(at + PrefixSize + sizeof(int))..]);
        at += PrefixSize + sizeof(int) + sizeof(long);
        if (chunkSize != ChunkSize || !TryText(start, ref at, out var model) || !TryText(start, ref at, out var name))
        {
            return null;
        }

        size = at;
        return new EncryptedHeader(keyId, new ImmutableBytes(prefix.ToArray()), model, version, name);
    }

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Magic);
        writer.Write(Format);
        WriteText(writer, KeyId);
        writer.Write(Prefix.Span);
        writer.Write(ChunkSize);
        writer.Write(Version);
        WriteText(writer, Model);
        WriteText(writer, Name);
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>Bytes of the file before it was encrypted.</summary>
    /// <param name="body">Bytes after the header.</param>
    /// <returns>Null if no file encrypts to so many.</returns>
    public static long? PlainLength(long body)
    {
        const long sealedChunk = ChunkSize + TagSize;
        var (whole, rest) = Math.DivRem(body, sealedChunk);
        var chunks = rest == 0 ? whole : whole + 1;
        var isRight = chunks is > 0 and <= uint.MaxValue && (rest == 0 || rest > TagSize || body == TagSize);
        return isRight ? body - (chunks * TagSize) : null;
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(utf8.Length, MaxText);
        writer.Write((ushort)utf8.Length);
        writer.Write(utf8);
    }

    private static bool TryText(ReadOnlySpan<byte> bytes, ref int at, out string text)
    {
        text = "";
        if (bytes.Length - at < sizeof(ushort))
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
        at += sizeof(ushort);
        if (length > MaxText || bytes.Length - at < length || !Utf8.IsValid(bytes.Slice(at, length)))
        {
            return false;
        }

        text = Encoding.UTF8.GetString(bytes.Slice(at, length));
        at += length;
        return true;
    }
}

/// <summary>Bytes that are compared by content.</summary>
internal readonly struct ImmutableBytes(byte[] bytes) : IEquatable<ImmutableBytes>
{
    public ReadOnlySpan<byte> Span => bytes;

    public bool Equals(ImmutableBytes other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is ImmutableBytes other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }
}
