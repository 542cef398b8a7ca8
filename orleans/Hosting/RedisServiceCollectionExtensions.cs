using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Registers what makes processes a cluster through Redis.</summary>
public static class RedisServiceCollectionExtensions
{
    /// <summary>Keeps the membership and the grain directory in Redis. Call it before <c>AddActorRuntime</c> or <c>AddActorRuntimeClient</c>.</summary>
    public static IServiceCollection UseRedisClustering(this IServiceCollection services, Action<RedisClusteringOptions> configure)
    {
        AddRedis(services, configure);
        services.TryAddSingleton<ClusterStanding>();
        services.TryAddSingleton<IClusterStanding>(static provider => provider.GetRequiredService<ClusterStanding>());
        return services;
    }

    /// <summary>Sets the connections between processes. They themselves are a part of Orleans.</summary>
    public static IServiceCollection AddClusterMessaging(this IServiceCollection services, Action<MessagingOptions>? configure = null)
    {
        services.AddOptions<MessagingOptions>();
        return configure is null ? services : services.Configure(configure);
    }

    /// <summary>Adds a grain storage in Redis under a name; every silo holds a replica of all states, as in the embedded runtime.</summary>
    public static IServiceCollection AddRedisGrainStorage(this IServiceCollection services, string name, Action<RedisClusteringOptions>? configure = null)
    {
        services.AddReplicatedMap(ReplicatedGrainStorage.MapName, configure);
        return services.AddKeyedSingleton<IGrainStorage>(
            name, static (provider, _) => new ReplicatedGrainStorage(provider.GetRequiredKeyedService<IReplicatedMap>(ReplicatedGrainStorage.MapName)));
    }

    /// <summary>The connection of the replicated maps, and what it needs. Orleans has connections of its own.</summary>
    internal static void AddRedis(IServiceCollection services, Action<RedisClusteringOptions>? configure)
    {
        services.AddLogging();
        services.AddMetrics();
        services.AddOptions<RedisClusteringOptions>().ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RedisClusteringOptions>, RedisClusteringOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<MembershipMetrics>();
        services.TryAddSingleton<RedisConnection>();
        services.TryAddSingleton(static provider => new RedisKeys(provider.GetRequiredService<IOptions<ActorRuntimeOptions>>().Value.ClusterId));
    }
}
