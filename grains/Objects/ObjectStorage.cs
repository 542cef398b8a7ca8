using Cluster.Contracts.Options;
using Cluster.Grains.Objects.Downloads;
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

/// <summary>Event ids 2190 to 2209.</summary>
internal static partial class Log
{
    [LoggerMessage(2190, LogLevel.Information, "Began to download {Address}: {Files} files, {Bytes} bytes, of which {Present} bytes were here")]
    public static partial void DownloadBegan(ILogger logger, string address, int files, long bytes, long present);

    [LoggerMessage(2191, LogLevel.Information, "Downloaded {Percent} % of {Address}")]
    public static partial void DownloadGoesOn(ILogger logger, string address, int percent);

    [LoggerMessage(2192, LogLevel.Information, "Downloaded {Address}: {Bytes} bytes in {Seconds:0.0} s, {MebibytesPerSecond:0.0} MiB/s")]
    public static partial void DownloadEnded(ILogger logger, string address, long bytes, double seconds, double mebibytesPerSecond);

    [LoggerMessage(2193, LogLevel.Warning, "Could not download {Address}: {Reason}")]
    public static partial void DownloadFailed(ILogger logger, string address, string reason);

    [LoggerMessage(2194, LogLevel.Debug, "Asked object storage again for {Address} after {Milliseconds} ms: {Reason}")]
    public static partial void Retried(ILogger logger, string address, double milliseconds, string reason);

    [LoggerMessage(2195, LogLevel.Information, "Removed {Address} from the cache of object storage to make room")]
    public static partial void Evicted(ILogger logger, string address);

    [LoggerMessage(2196, LogLevel.Warning, "Found {Address} changed in the cache of object storage, and began to download it again")]
    public static partial void Damaged(ILogger logger, string address);

    [LoggerMessage(2197, LogLevel.Error, "Kept the former storage sources, as {Path} cannot be read: {Reason}")]
    public static partial void SourcesStay(ILogger logger, string path, string reason);

    [LoggerMessage(2198, LogLevel.Warning, "Could not list {Address}, and goes on with what was listed before this start: {Reason}")]
    public static partial void FormerListing(ILogger logger, string address, string reason);

    [LoggerMessage(2199, LogLevel.Warning, "Could not remove {Entry} of the cache of object storage: {Reason}")]
    public static partial void NotRemoved(ILogger logger, string entry, string reason);

    [LoggerMessage(2200, LogLevel.Information, "Opened the cache of object storage in {Folder}: {Versions} model versions, {Bytes} bytes")]
    public static partial void CacheOpened(ILogger logger, string folder, int versions, long bytes);

    [LoggerMessage(2201, LogLevel.Warning, "Could not keep the listing of {Address} for the next start: {Reason}")]
    public static partial void ListingNotKept(ILogger logger, string address, string reason);
}
