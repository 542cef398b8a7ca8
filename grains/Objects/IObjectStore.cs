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
