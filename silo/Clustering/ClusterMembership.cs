using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>Makes a silo one of many: Orleans' membership in Redis, healed, and dead silos noticed within a second.</summary>
internal static class ClusterMembership
{
    /// <summary>Call <c>AddSharedRedis</c> before. The configuration's section "Orleans" takes the place of the settings.</summary>
    public static ISiloBuilder AddClusterMembership(this ISiloBuilder silo)
    {
        silo.UseRedisClustering(static _ => { });
        var services = silo.Services;
        services.AddOptions<RedisClusteringOptions>().Configure<Func<Task<IConnectionMultiplexer>>>(static (orleans, connect) =>
        {
            // Orleans refuses to start without these, also where it is handed a connection.
            orleans.ConfigurationOptions = new ConfigurationOptions();
            orleans.CreateMultiplexer = async _ => (await connect().ConfigureAwait(false), true);
        });
        services.AddOptions<ClusterMembershipOptions>().Configure(ClusterMembershipSettings.Apply).BindConfiguration("Orleans:Membership");
        services.AddOptions<ConnectionOptions>().Configure(ClusterMembershipSettings.Apply).BindConfiguration("Orleans:Connections");
        services.AddOptions<SiloMessagingOptions>().Configure(ClusterMembershipSettings.Apply).BindConfiguration("Orleans:Messaging");
        HealTable(services);

        services.AddSingleton<ConnectionEnds>();
        services.AddOptions<SiloConnectionOptions>().Configure<ConnectionEnds>(static (orleans, ends) => ends.Observe(orleans));
        services.TryAddSingleton<AskPort>(SiloPort.AskAsync);
        services.AddSingleton<SiloEvidence>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static provider => provider.GetRequiredService<SiloEvidence>());
        return silo;
    }

    private static void HealTable(IServiceCollection services)
    {
        var redis = services.Last(static service => service.ServiceType == typeof(IMembershipTable));
        services.Remove(redis);
        services.AddSingleton<IMembershipTable>(provider => new HealingMembershipTable(
            (IMembershipTable)redis.ImplementationFactory!(provider),
            provider.GetRequiredService<Func<Task<IConnectionMultiplexer>>>(),
            provider.GetRequiredService<IOptions<RedisClusteringOptions>>().Value.CreateRedisKey(provider.GetRequiredService<IOptions<ClusterOptions>>().Value),
            new Lazy<IClusterMembershipService>(provider.GetRequiredService<IClusterMembershipService>),
            provider.GetRequiredService<ILocalSiloDetails>(),
            provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<HealingMembershipTable>>()));
    }
}
