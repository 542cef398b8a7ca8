using System.Text.RegularExpressions;
using Amazon.S3;
using Amazon.S3.Model;
using Cluster.Grains.Objects;
using Cluster.Grains.Objects.Downloads;

namespace Cluster.Silo.Storage;

/// <summary>What a store tells of an object's content.</summary>
internal static partial class S3Checksums
{
    /// <summary>Encryption that leaves the MD5 as ETag.</summary>
    private const string OwnKeys = "AES256";

    /// <summary>Checksums over the whole object. One that is made of those of parts says nothing of the whole.</summary>
    public static IReadOnlyList<ObjectChecksum> Of(GetObjectMetadataResponse found)
    {
        var sums = new List<ObjectChecksum>();
        if (found.ChecksumType != ChecksumType.COMPOSITE)
        {
            Add(sums, ChecksumKind.Sha256, found.ChecksumSHA256, 32);
            Add(sums, ChecksumKind.Crc32, found.ChecksumCRC32, 4);
            Add(sums, ChecksumKind.Crc64Nvme, found.ChecksumCRC64NVME, 8);
        }

        // Of an object that was sent in parts, or that a key of the store's or of the client's encrypts, the ETag is no MD5.
        var etag = found.ETag?.Trim('"') ?? "";
        if (Md5().IsMatch(etag) && string.IsNullOrEmpty(found.ServerSideEncryptionCustomerMethod?.Value) && (found.ServerSideEncryptionMethod?.Value is null or "" or OwnKeys))
        {
            sums.Add(new ObjectChecksum(ChecksumKind.Md5, etag));
        }

        return sums;
    }

    private static void Add(List<ObjectChecksum> sums, ChecksumKind kind, string? value, int length)
    {
        Span<byte> bytes = stackalloc byte[32];
        if (value is not null && Convert.TryFromBase64String(value, bytes, out var written) && written == length)
        {
            sums.Add(new ObjectChecksum(kind, Convert.ToHexStringLower(bytes[..written])));
        }
    }

    [GeneratedRegex("^[0-9a-f]{32}$")]
    private static partial Regex Md5();
}
