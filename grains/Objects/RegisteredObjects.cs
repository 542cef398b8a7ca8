using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Settings;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Objects;

/// <summary>Makes a registration of a registered address' present objects.</summary>
internal sealed class RegisteredObjects(ObjectReader reader, StorageSources sources, TimeProvider clock)
{
    private const string Graph = ".onnx";

    /// <summary>Objects of one registered model; an address with more is no model's folder.</summary>
    private const int MaxObjects = 100_000;

    /// <summary>The source of a storage key; null if there is none.</summary>
    public StorageSource? Named(string storageKey) => sources.Named(storageKey);

    /// <summary>Lists names, sizes and ETags, and reads a model.json. What is wrong is the registration's problem.</summary>
    /// <param name="definition">Settings that go before those of a model.json; null for none.</param>
    public async Task<ModelRegistration> ReadAsync(string model, ObjectAddress address, ModelDefinition? definition, CancellationToken cancellationToken)
    {
        var found = new ObjectModel(model, address, clock, definition);
        if (sources.Find(address) is not { } source)
        {
            return found.Break($"'{address}' is in no storage source of this server");
        }

        try
        {
            return await ReadAsync(found, source, address, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException exception)
        {
            return found.Break($"'{address}' cannot be read: {exception.Message}");
        }
    }

    /// <summary>As <see cref="ReadAsync(string, ObjectAddress, ModelDefinition?, CancellationToken)"/>, of a model that is listed again and again.</summary>
    /// <exception cref="ObjectStoreException">It cannot be listed.</exception>
    public Task<ModelRegistration> ListAsync(ObjectModel model, ObjectAddress address, CancellationToken cancellationToken) =>
        sources.Find(address) is { } source
            ? ReadAsync(model, source, address, cancellationToken)
            : throw new ObjectStoreException(StoreFailure.Denied, "it is in no storage source of this server");

    private async Task<ModelRegistration> ReadAsync(ObjectModel found, StorageSource source, ObjectAddress address, CancellationToken cancellationToken)
    {
        if (address.Name.EndsWith(Graph, StringComparison.Ordinal)
            && await VersionListings.ReadAsync(reader, source, address, isSingle: true, cancellationToken).ConfigureAwait(false) is { } single)
        {
            return found.UpdateOnly(single, null);
        }

        var objects = await reader.ListAsync(source, address, address.Prefix, MaxObjects, cancellationToken).ConfigureAwait(false);
        if (objects.Count == 0)
        {
            return found.Break($"there is no '{address}'");
        }

        var settings = objects.FirstOrDefault(static item => item.Key == SettingsFile.Name) is { Key: not null } item
            ? await SettingsObject.ReadAsync(reader, source, address, item, cancellationToken).ConfigureAwait(false)
            : null;
        return objects.Any(static item => item.Key.IndexOf('/') is > 0 and var slash && VersionScanner.TryParse(item.Key[..slash], out _))
            ? found.Update(objects, settings, [])
            : found.UpdateOnly(VersionObjects.Folder(address, objects, address.Name), settings);
    }
}
