using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Registers this process' connection to Redis.</summary>
internal static class RedisConnectionServiceCollectionExtensions
{
    /// <summary>The connection, and what it needs. May be called several times; each call may set options.</summary>
    public static IServiceCollection AddRedisConnection(this IServiceCollection services, Action<RedisClusteringOptions>? configure)
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
        return services;
    }
}
