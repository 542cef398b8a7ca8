using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Trust;

/// <summary>Reads an open file from its beginning to its end, and hashes its bytes.</summary>
internal sealed class FileReader(SafeFileHandle file, CancellationToken cancellationToken) : IDisposable
{
    private const int Piece = 1 << 20;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _offset;

    public long Length { get; } = RandomAccess.GetLength(file);

    /// <summary>Fills <paramref name="target"/> with the next bytes.</summary>
    /// <exception cref="IOException">The file has become shorter.</exception>
    /// <exception cref="OperationCanceledException">The load is given up.</exception>
    public void Fill(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(file, target[..Math.Min(target.Length, Piece)], _offset);
            if (read == 0)
            {
                throw new FileChangedException();
            }

            _hash.AppendData(target[..read]);
            _offset += read;
            target = target[read..];
        }
    }

    /// <summary>The first bytes, which are read again afterwards; fewer where the file is shorter.</summary>
    public int Peek(Span<byte> target)
    {
        var wanted = target[..(int)Math.Min(target.Length, Length)];
        for (var offset = 0; offset < wanted.Length;)
        {
            var read = RandomAccess.Read(file, wanted[offset..], offset);
            if (read == 0)
            {
                throw new FileChangedException();
            }

            offset += read;
        }

        return wanted.Length;
    }

    /// <summary>Reads the remaining bytes only for their hash.</summary>
    public void Skip()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            while (Length - _offset is var left and > 0)
            {
                Fill(buffer.AsSpan(0, (int)Math.Min(left, Piece)));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>SHA-256 of the file, which has been read to its end.</summary>
    /// <exception cref="IOException">The file has become longer.</exception>
    public byte[] Finish()
    {
        Span<byte> one = stackalloc byte[1];
        return _offset == Length && RandomAccess.Read(file, one, _offset) == 0 ? _hash.GetHashAndReset() : throw new FileChangedException();
    }

    public void Dispose() => _hash.Dispose();
}

/// <summary>A file has another length than it had when it was opened.</summary>
internal sealed class FileChangedException() : IOException("a file was changed while it was read");
