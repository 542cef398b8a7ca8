using Cluster.Contracts.Options;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>Registers the connection of this process to Redis.</summary>
internal static class SharedRedisServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="Func{TResult}"/> that gives the shared <see cref="IConnectionMultiplexer"/>. Call it before what needs Redis when it starts.
    /// </summary>
    public static IServiceCollection AddSharedRedis(this IServiceCollection services, Action<RedisOptions> configure)
    {
        services.AddClusterOptions<RedisOptions>().Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<SharedRedis>();
        services.AddHostedService(static provider => provider.GetRequiredService<SharedRedis>());
        return services.AddSingleton<Func<Task<IConnectionMultiplexer>>>(static provider => provider.GetRequiredService<SharedRedis>().ConnectAsync);
    }
}
