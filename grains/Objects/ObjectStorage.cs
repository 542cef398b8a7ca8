using Cluster.Contracts.Options;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects;

/// <summary>Registers what reads models from object storage; nothing of it does anything until an address is named.</summary>
internal static class ObjectStorage
{
    /// <summary>A store that was registered before takes the place of none.</summary>
    public static IServiceCollection AddObjectStorage(this IServiceCollection services)
    {
        services.AddClusterOptions<ObjectStorageOptions>();
        services.TryAddSingleton<IObjectStore, NoObjectStore>();
        services.TryAddSingleton(static _ => new RetryRandom(new Random()));
        services.AddSingleton<ObjectMetrics>();
        services.AddSingleton<ObjectReader>();
        services.AddSingleton<CacheFolder>();
        services.AddSingleton<ObjectCache>();
        services.AddSingleton<ListingFile>();
        services.AddSingleton(static provider => new StorageSources(
            provider.GetRequiredService<ObjectStorageOptions>(),
            [provider.GetService<RepositoryOptions>()?.Models, provider.GetService<RegistryOptions>()?.Root],
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<StorageSources>>()));
        services.AddSingleton<RegisteredObjects>();
        return services.AddSingleton<VersionFetch>();
    }

    /// <summary>The repository of the options, whose models are in a folder or in object storage.</summary>
    public static IModelRepository Repository(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<RepositoryOptions>();
        var time = provider.GetRequiredService<TimeProvider>();
        var logger = provider.GetRequiredService<ILogger<FileModelRepository>>();
        IModelSource? models = ObjectAddress.IsAddress(options.Models)
            ? new BucketSource(
                ObjectAddress.Parse(options.Models!) ?? throw new RepositoryConfigurationException($"models: '{options.Models}' is no address, expected {ObjectAddress.Form}"),
                provider.GetRequiredService<ObjectReader>(),
                provider.GetRequiredService<StorageSources>(),
                provider.GetRequiredService<ListingFile>(),
                time,
                logger)
            : options.Models is { } folder ? new FolderSource(folder, time) : null;
        return new FileModelRepository(options, logger, time, models, provider.GetRequiredService<RegisteredObjects>());
    }
}

/// <summary>In processes that are given no store.</summary>
internal sealed class NoObjectStore : IObjectStore
{
    public Task<ObjectPage> ListAsync(StorageSource source, ObjectAddress address, string? after, CancellationToken cancellationToken) => throw None();

    public Task<ObjectFacts> DescribeAsync(StorageSource source, ObjectAddress address, string etag, CancellationToken cancellationToken) => throw None();

    public Task<Stream> OpenAsync(StorageSource source, ObjectAddress address, string etag, long offset, long length, CancellationToken cancellationToken) => throw None();

    private static ObjectStoreException None() => new(StoreFailure.Denied, "this process reads no object storage");
}
