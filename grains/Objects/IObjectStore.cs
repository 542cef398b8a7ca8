namespace Cluster.Grains.Objects;

/// <summary>Reads objects. Each call is one request to the store, or a page of a listing; what fails is tried again by its caller. Safe from any thread.</summary>
internal interface IObjectStore
{
    /// <summary>A page of the objects whose keys begin with the prefix, in the order of their keys.</summary>
    /// <param name="address">Its <see cref="ObjectAddress.Key"/> is the prefix, as it is written.</param>
    /// <param name="after">The token of the page before. Null for the first page.</param>
    /// <exception cref="ObjectStoreException">It cannot be listed.</exception>
    Task<ObjectPage> ListAsync(StorageSource source, ObjectAddress address, string? after, CancellationToken cancellationToken);

    /// <summary>What is known of an object.</summary>
    /// <exception cref="ObjectStoreException">It is gone, has another ETag, or cannot be asked for.</exception>
    Task<ObjectFacts> DescribeAsync(StorageSource source, ObjectAddress address, string etag, CancellationToken cancellationToken);

    /// <summary>Reads a part of an object that still has the ETag. What is read ends early where the connection is cut.</summary>
    /// <param name="length">At least 1.</param>
    /// <exception cref="ObjectStoreException">As for <see cref="DescribeAsync"/>.</exception>
    Task<Stream> OpenAsync(StorageSource source, ObjectAddress address, string etag, long offset, long length, CancellationToken cancellationToken);
}

/// <param name="Objects">With whole keys.</param>
/// <param name="Next">Asks for the page after it; null for the last.</param>
internal sealed record ObjectPage(IReadOnlyList<StoredObject> Objects, string? Next);

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

/// <summary>The failure of a store's operation. The message has no text of the store's, as that may name keys.</summary>
internal sealed class ObjectStoreException(StoreFailure failure, string message, Exception? cause = null) : Exception(message, cause)
{
    public StoreFailure Failure => failure;

    /// <summary>Whether the same request may succeed a moment later.</summary>
    public bool IsPassing => failure is StoreFailure.Away or StoreFailure.Busy;
}

internal enum StoreFailure
{
    /// <summary>It cannot be reached, failed, or the connection was cut.</summary>
    Away,

    /// <summary>It asks for fewer requests.</summary>
    Busy,

    /// <summary>The credentials are missing, wrong or not enough.</summary>
    Denied,

    /// <summary>No such bucket or object.</summary>
    Missing,

    /// <summary>The object has another content than the one that was listed.</summary>
    Changed,

    /// <summary>It answered with something else than was asked for.</summary>
    Broken,
}
