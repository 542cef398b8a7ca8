using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cluster.Grains.Trust;

/// <summary>
/// AES-256-GCM over the chunks of one file. A chunk's nonce is the file's prefix and the chunk's number. Its tag also covers the header, the number and whether it is
/// the last. So chunks cannot be left out, repeated or put in another order, and the end cannot be cut off.
/// </summary>
internal sealed class ChunkCipher : IDisposable
{
    private readonly AesGcm _cipher;
    private readonly byte[] _nonce = new byte[EncryptedHeader.PrefixSize + sizeof(uint)];
    private readonly byte[] _associated;

    /// <param name="header">As the file has it.</param>
    public ChunkCipher(ReadOnlySpan<byte> key, EncryptedHeader header, ReadOnlySpan<byte> headerBytes)
    {
        _cipher = new AesGcm(key, EncryptedHeader.TagSize);
        header.Prefix.Span.CopyTo(_nonce);
        _associated = [.. headerBytes, .. stackalloc byte[sizeof(uint) + sizeof(bool)]];
    }

    public void Seal(uint index, bool isLast, ReadOnlySpan<byte> plain, Span<byte> @sealed)
    {
        Number(index, isLast);
        _cipher.Encrypt(_nonce, plain, @sealed[..plain.Length], @sealed[plain.Length..], _associated);
    }

    /// <returns>False if this is not what was sealed, by this key, as this chunk.</returns>
    public bool TryOpen(uint index, bool isLast, ReadOnlySpan<byte> @sealed, Span<byte> plain)
    {
        Number(index, isLast);
        try
        {
            _cipher.Decrypt(_nonce, @sealed[..plain.Length], @sealed[plain.Length..], plain, _associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _cipher.Dispose();

    private void Number(uint index, bool isLast)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_nonce.AsSpan(EncryptedHeader.PrefixSize), index);
        BinaryPrimitives.WriteUInt32BigEndian(_associated.AsSpan(^(sizeof(uint) + sizeof(bool))..), index);
        _associated[^1] = isLast ? (byte)1 : (byte)0;
    }
}
