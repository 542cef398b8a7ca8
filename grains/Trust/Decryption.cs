using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cluster.Grains.Trust;

/// <summary>Decrypts one file of a version into memory.</summary>
/// <param name="name">What the file was called before it was encrypted, relative to the version's folder.</param>
internal sealed class Decryption(KeyFile<EncryptionKeys> keys, string model, long version, string name, FileReader reader)
{
    private const int SealedChunk = EncryptedHeader.ChunkSize + EncryptedHeader.TagSize;

    private readonly string _file = Refusal.Quote(name + EncryptedHeader.Ending);

    /// <param name="check">Called with the length of the plain content before memory is taken for it.</param>
    /// <param name="hasPath">Whether it needs a path.</param>
    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE: there is no key for it, or it is not what was encrypted for this model and version.</exception>
    public MemoryFile Load(Action<long> check, bool hasPath)
    {
        var start = new byte[EncryptedHeader.MaxSize];
        var header = EncryptedHeader.Read(start.AsSpan(0, reader.Peek(start)), out var size) ?? throw Refusal.Of($"{_file} is no encrypted file of the format that is read here");
        if (EncryptedHeader.PlainLength(reader.Length - size) is not { } length)
        {
            throw Refusal.Of($"{_file} is cut off");
        }

        if (header.Model != model || header.Version != version || header.Name != name)
        {
            throw Refusal.Of($"{_file} was encrypted as {Refusal.Quote(header.Name)} of model {Refusal.Quote(header.Model)} version {header.Version}");
        }

        check(length);
        using var cipher = new ChunkCipher(KeyOf(header.KeyId), header, start.AsSpan(0, size));
        var file = MemoryFile.Create(length, isSecret: true, hasPath);
        try
        {
            reader.Fill(start.AsSpan(0, size));
            Decrypt(cipher, file);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void Decrypt(ChunkCipher cipher, MemoryFile file)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SealedChunk);
        try
        {
            long offset = 0;
            for (uint index = 0; index == 0 || offset < file.Length; index++)
            {
                var plain = file.Slice(offset, (int)Math.Min(EncryptedHeader.ChunkSize, file.Length - offset));
                offset += plain.Length;
                var @sealed = buffer.AsSpan(0, plain.Length + EncryptedHeader.TagSize);
                reader.Fill(@sealed);
                if (!cipher.TryOpen(index, isLast: offset == file.Length, @sealed, plain))
                {
                    throw Refusal.Of($"{_file} is not what was encrypted: chunk {index + 1} has another content, place or key");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private byte[] KeyOf(string id)
    {
        if (!keys.IsGiven)
        {
            throw Refusal.Of($"{_file} is encrypted, and this silo was started without --model-key-file");
        }

        return keys.Current().TryGet(id, out var key) ? key : throw Refusal.Of($"{_file} is encrypted with the key {Refusal.Quote(id)}, which is none of --model-key-file");
    }
}

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
