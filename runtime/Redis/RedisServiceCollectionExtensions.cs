using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Registers what makes silos a cluster through Redis.</summary>
public static class RedisServiceCollectionExtensions
{
    /// <summary>
    /// Keeps the membership and the grain directory in Redis. Call it before <c>AddActorRuntime</c>. Needs an <see cref="ISiloProber"/>,
    /// which the transport between silos brings, and a <c>Func&lt;Task&lt;IConnectionMultiplexer&gt;&gt;</c>.
    /// </summary>
    public static IServiceCollection UseRedisClustering(this IServiceCollection services)
    {
        services.AddRedisConnection();
        if (services.Any(static service => service.ServiceType == typeof(ClusterMembershipService)))
        {
            return services;
        }

        services.AddSingleton<IMembershipTable, RedisMembershipTable>();
        services.AddSingleton<RedisGrainDirectory>();
        services.AddSingleton<IGrainDirectory>(static provider => provider.GetRequiredService<RedisGrainDirectory>());
        AddMembership(services);
        services.AddSingleton<IHostedService, DirectoryKeeper>();
        return services;
    }

    /// <summary>Everything of the membership but its table.</summary>
    internal static void AddMembership(IServiceCollection services)
    {
        services.AddOptions<ClusterMembershipOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ClusterMembershipOptions>, ClusterMembershipOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ILocalSiloDetails, LocalSiloDetails>();
        services.TryAddSingleton<MembershipMetrics>();
        services.TryAddKeyedSingleton(ClusterMembershipService.RandomKey, static (_, _) => new Random());
        services.AddSingleton<ClusterMembershipService>();
        services.AddSingleton<IClusterMembershipService>(static provider => provider.GetRequiredService<ClusterMembershipService>());
        services.AddSingleton<IClusterStanding>(static provider => provider.GetRequiredService<ClusterMembershipService>());
        services.AddSingleton<FailureDetector>();
        services.AddSingleton<IHostedService, MembershipAgent>();
    }
}
