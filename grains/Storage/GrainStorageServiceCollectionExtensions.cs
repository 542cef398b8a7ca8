using Cluster.Grains.Replication;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Cluster.Grains.Storage;

/// <summary>Registers grain storages.</summary>
public static class GrainStorageServiceCollectionExtensions
{
    /// <summary>
    /// Adds a grain storage in Redis under a name; every silo holds a replica of all states. States are kept under the cluster's identity. Call it
    /// before Orleans is added.
    /// </summary>
    public static IServiceCollection AddReplicatedGrainStorage(this IServiceCollection services, string name)
    {
        services.AddReplicatedMap(ReplicatedGrainStorage.MapName);
        return services.AddKeyedSingleton<IGrainStorage>(
            name, static (provider, _) => new ReplicatedGrainStorage(provider.GetRequiredKeyedService<IReplicatedMap>(ReplicatedGrainStorage.MapName)));
    }

    /// <summary>Adds a grain storage in memory under a name.</summary>
    public static IServiceCollection AddMemoryGrainStorage(this IServiceCollection services, string name) =>
        services.AddKeyedSingleton<IGrainStorage, MemoryGrainStorage>(name);
}
