using System.Collections.Immutable;
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

/// <summary>
/// A model of the configuration file that lies in object storage. <see cref="RefreshAsync"/> lists it, and scans report the last listing. Safe from any thread.
/// </summary>
internal sealed class ConfiguredObjects(string model, ObjectAddress address, RegisteredObjects store, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly ObjectModel _model = new(model, address, clock, ModelDefinition.Default);
    private Task _refreshing = Task.CompletedTask;
    private volatile Listed _last = new([], "it was not listed yet");

    /// <summary>Asks the store. Where that fails, the last listing stays, with the reason.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _refreshing = RefreshAfterAsync(_refreshing, cancellationToken);
        }
    }

    /// <summary>The versions, and the problem of the model as a whole, or null.</summary>
    public (ImmutableArray<ModelVersionSource> Versions, string? Problem) Read()
    {
        var last = _last;
        return (last.Versions, last.Away is { } away ? $"'{address}' cannot be read: {away}" : last.Problem);
    }

    /// <summary>One after the other.</summary>
    private async Task RefreshAfterAsync(Task before, CancellationToken cancellationToken)
    {
        await before.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            var found = await store.ListAsync(_model, address, cancellationToken).ConfigureAwait(false);
            _last = new Listed(found.Versions, null) { Problem = found.Problem };
        }
        catch (ObjectStoreException exception)
        {
            _last = _last with { Away = exception.Message };
        }
    }

    private sealed record Listed(ImmutableArray<ModelVersionSource> Versions, string? Away)
    {
        public string? Problem { get; init; }
    }
}
