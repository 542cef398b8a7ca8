using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>Registers grain storages in Redis.</summary>
public static class RedisGrainStorageServiceCollectionExtensions
{
    /// <summary>
    /// Adds a grain storage in Redis under a name; every silo holds a replica of all states. States are kept under the cluster's identity. Call it
    /// before <c>AddActorRuntime</c>.
    /// </summary>
    public static IServiceCollection AddRedisGrainStorage(this IServiceCollection services, string name)
    {
        services.AddReplicatedMap(ReplicatedGrainStorage.MapName);
        return services.AddKeyedSingleton<IGrainStorage>(
            name, static (provider, _) => new ReplicatedGrainStorage(provider.GetRequiredKeyedService<IReplicatedMap>(ReplicatedGrainStorage.MapName)));
    }
}
