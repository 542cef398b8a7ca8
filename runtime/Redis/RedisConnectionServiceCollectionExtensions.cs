using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Registers what uses this process' connection to Redis, a <c>Func&lt;Task&lt;IConnectionMultiplexer&gt;&gt;</c> that others register.</summary>
internal static class RedisConnectionServiceCollectionExtensions
{
    /// <summary>May be called several times.</summary>
    public static IServiceCollection AddRedisConnection(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<MembershipMetrics>();
        services.TryAddSingleton<RedisConnection>();
        services.TryAddSingleton(static provider => new RedisKeys(provider.GetRequiredService<IOptions<ActorRuntimeOptions>>().Value.ClusterId));
        return services;
    }
}
