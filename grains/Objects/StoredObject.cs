namespace Cluster.Grains.Objects;

/// <summary>An object as a listing tells of it.</summary>
/// <param name="Key">The whole key, or the part below the address that was listed.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ETag">The store's mark of its content, without quotes.</param>
internal readonly record struct StoredObject(string Key, long Size, string ETag)
{
    /// <summary>What some tools put in the place of a folder.</summary>
    public bool IsFolderMark => Key.EndsWith('/') && Size == 0;
}

/// <summary>What is known of an object's content before it is read.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="ETag">Without quotes.</param>
/// <param name="Checksums">What its content has to agree with; empty where the store tells none.</param>
internal sealed record ObjectFacts(long Size, string ETag, IReadOnlyList<ObjectChecksum> Checksums);

/// <summary>A checksum over the whole object.</summary>
/// <param name="Kind">Its algorithm.</param>
/// <param name="Value">In hexadecimal digits, lower case.</param>
internal readonly record struct ObjectChecksum(ChecksumKind Kind, string Value);

internal enum ChecksumKind
{
    Md5,
    Sha256,
    Crc32,
    Crc64Nvme,
}
