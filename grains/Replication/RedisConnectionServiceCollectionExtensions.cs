using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Cluster.Grains.Replication;

/// <summary>Registers what uses this process' connection to Redis, a <c>Func&lt;Task&lt;IConnectionMultiplexer&gt;&gt;</c> that others register.</summary>
public static class RedisConnectionServiceCollectionExtensions
{
    /// <summary>May be called several times.</summary>
    public static IServiceCollection AddRedisConnection(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RedisMetrics>();
        services.TryAddSingleton<RedisConnection>();
        services.TryAddSingleton(static provider => new RedisKeys(provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ClusterId));
        return services;
    }
}
