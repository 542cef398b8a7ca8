using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using Cluster.Grains.Trust;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>Reads a file once for its SHA-256 and for the store's checksums.</summary>
internal static class ContentSums
{
    private const int Piece = 1 << 20;

    /// <param name="path">Absolute, without links.</param>
    /// <param name="checksums">Those that its content has to have.</param>
    /// <returns>SHA-256 in hexadecimal digits; null where a checksum is another.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string? Read(string path, IReadOnlyList<ObjectChecksum> checksums, CancellationToken cancellationToken)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var md5 = checksums.Any(static sum => sum.Kind == ChecksumKind.Md5) ? Md5() : null;
        var crc32 = checksums.Any(static sum => sum.Kind == ChecksumKind.Crc32) ? new Crc32() : null;
        var crc64 = checksums.Any(static sum => sum.Kind == ChecksumKind.Crc64Nvme) ? new Crc64Nvme() : null;
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            using var file = CheckedFile.Open(path);
            for (long offset = 0; RandomAccess.Read(file, buffer, offset) is var read and > 0; offset += read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, read);
                sha.AppendData(piece);
                md5?.AppendData(piece);
                crc32?.Append(piece);
                crc64?.Append(piece);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var content = Convert.ToHexStringLower(sha.GetHashAndReset());
        var found = new Dictionary<ChecksumKind, string?>
        {
            [ChecksumKind.Sha256] = content,
            [ChecksumKind.Md5] = md5 is null ? null : Convert.ToHexStringLower(md5.GetHashAndReset()),
            [ChecksumKind.Crc32] = crc32?.GetCurrentHashAsUInt32().ToString("x8", CultureInfo.InvariantCulture),
            [ChecksumKind.Crc64Nvme] = crc64?.Finish(),
        };
        return checksums.All(sum => found[sum.Kind] == sum.Value) ? content : null;
    }

#pragma warning disable CA5351 // It guards against cut and mixed transfers, as the store offers it; against malice there are signatures.
    private static IncrementalHash Md5() => IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
}
