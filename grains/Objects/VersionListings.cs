using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Objects;

/// <summary>Lists one version.</summary>
internal static class VersionListings
{
    /// <summary>Marks of folders and hidden objects count too.</summary>
    private const int MaxObjects = 2 * VersionFolder.MaxEntries;

    /// <param name="address">Its folder, or the object that it is.</param>
    /// <returns>Null where there is no such object.</returns>
    /// <exception cref="ObjectStoreException">It cannot be listed.</exception>
    public static async Task<VersionListing?> ReadAsync(ObjectReader reader, StorageSource source, ObjectAddress address, bool isSingle, CancellationToken cancellationToken)
    {
        if (!isSingle)
        {
            return VersionObjects.Folder(address, await reader.ListAsync(source, address, address.Prefix, MaxObjects, cancellationToken).ConfigureAwait(false), address.Name);
        }

        var parent = address.Parent;
        var found = await reader.ListAsync(source, parent, address.Key, MaxObjects, cancellationToken).ConfigureAwait(false);
        return found.FirstOrDefault(item => item.Key == address.Name) is { Key: not null } item ? VersionObjects.Single(address, item) : null;
    }
}
