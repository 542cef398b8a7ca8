using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Runtime;

/// <summary>Registers what makes processes a cluster through Redis.</summary>
public static class RedisServiceCollectionExtensions
{
    /// <summary>Keeps the membership and the grain directory in Redis. Call it before <c>AddActorRuntime</c> or <c>AddActorRuntimeClient</c>.</summary>
    public static IServiceCollection UseRedisClustering(this IServiceCollection services)
    {
        services.AddRedisConnection();
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
}
