using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Options;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Rest.Json;
using Cluster.Grains;
using Cluster.Grains.Cache;
using Cluster.Grains.Cluster;
using Cluster.Grains.Memory;
using Cluster.Grains.Objects;
using Cluster.Grains.OpenVino;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Workers;
using Cluster.Grains.Storage;
using Cluster.Grains.Trust;
using Cluster.Silo.Clustering;
using Cluster.Silo.Options;
using Cluster.Silo.Repository;
using Cluster.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Silo.Hosting;

/// <summary>What a silo is made of.</summary>
internal static class SiloComposition
{
    /// <param name="options">Validated.</param>
    public static IServiceCollection AddSilo(this IServiceCollection services, ServeOptions options)
    {
        var state = new SiloStateOptions { Labels = [.. SiloLabels.Of(options.Labels)], Version = SoftwareVersion() };
        services.TryAddSingleton(TimeProvider.System);
        services.Configure<RegistryOptions>(registry => registry.Root = options.RegisteredModels ?? options.Models);
        services.Configure<ModelCacheOptions>(cache => cache.Capacity = CacheCapacity.Of(options.Capacity));
        services.Configure<ModelTrustOptions>(trust => (trust.RequireSigned, trust.Keys, trust.KeyFile) = (options.RequireSignedModels, options.ModelKeys, options.ModelKeyFile));
        services.Configure<MemoryOptions>(static memory => memory.Available = MemoryLimit.Read("/"));
        services.Configure<ClusterWorkOptions>(cluster => cluster.StopTimeout = TimeSpan.FromSeconds(options.StopSeconds));
        if (options.Redis is null)
        {
            services.AddSingleton<IRegistrations, InMemoryRegistrations>();
            services.AddSingleton<IServingStates, InMemoryServingStates>();
            services.AddModelRegistry();
            services.AddSiloStates(state);
            services.AddMemoryGrainStorage(ModelGrains.StorageName);
        }
        else
        {
            services.AddClusterNetwork(options);
            services.AddReplicatedModelRegistry(state);
            services.AddReplicatedGrainStorage(ModelGrains.StorageName);
        }

        services.AddSingleton<ISampleReader, JsonSampleReader>();
        services.AddClusterOptions<GraphCacheOptions>();
        services.AddSingleton<OptimizedGraphs>();
        services.AddSingleton<S3Clients>();
        services.TryAddSingleton<IObjectStore, S3Store>();
        services.AddModelGrains(new InferenceOptions
        {
            Threads = options.InferenceThreads,
            QueueLimit = options.QueueLimit,
            QueueBytes = (long)options.QueueMiB << 20,
            QueueDelay = TimeSpan.FromMilliseconds(options.QueueDelayMs),
            StuckAfter = TimeSpan.FromSeconds(options.StuckRunSeconds),
        });
        services.AddSingleton(new RepositoryOptions { Models = options.Models, Config = options.Config });
        services.AddSingleton(new OpenVinoOptions { Folder = options.Openvino, Cache = options.OpenvinoCache, CacheBytes = (long)options.OpenvinoCacheMiB << 20 });
        services.AddSingleton(ObjectStorage.Repository);
        services.Configure<ObjectStorageOptions>(storage => (storage.Sources, storage.Cache, storage.Insecure) = (options.Storage, options.StorageCache, options.Insecure));
        services.AddOrleansSilo(ClusterComposition.Describe(options));
        services.AddClusterWork();
        services.AddSingleton<RepositoryComparison>();
        services.AddSingleton<RepositoryWatcher>();
        services.AddSingleton<IRepositoryWatch>(static provider => provider.GetRequiredService<RepositoryWatcher>());
        services.AddSingleton<RepositoryMetrics>();
        services.AddHostedService(static provider =>
        {
            _ = provider.GetRequiredService<RepositoryMetrics>();
            return provider.GetRequiredService<RepositoryWatcher>();
        });
        return services;
    }

    /// <summary>As one number, greater for a newer version: a million for each major, a thousand for each minor.</summary>
    private static long SoftwareVersion()
    {
        var version = typeof(SiloComposition).Assembly.GetName().Version ?? new Version(0, 0, 0);
        return (version.Major * 1_000_000L) + (version.Minor * 1000L) + Math.Max(0, version.Build);
    }
}
