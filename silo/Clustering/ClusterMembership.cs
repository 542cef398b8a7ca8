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

/// <summary>
/// Orleans' settings of membership and connections where ours differ from its defaults, which find a dead silo within minutes. A silo whose process ended is found by
/// <see cref="SiloEvidence"/>; these settings find one that hangs, or that the network hides.
/// </summary>
internal static class ClusterMembershipSettings
{
    /// <summary>What a probe may take at first, and what a silo that joins waits before it tries again.</summary>
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(1);

    public static void Apply(ClusterMembershipOptions options)
    {
        options.ProbeTimeout = Probe;

        // Orleans adapts the time of a probe, which is also the period of probes, between these two.
        options.MinProbeTimeout = Probe;

        // A vote is vetoed for this times the missed probes after the last message: 3.75 s, where Orleans' default is a minute.
        options.MaxProbeTimeout = Probe * 1.25;
        options.NumMissedProbesLimit = 3;

        // Witnesses: with two members one vote is enough, from three on it takes two, so that a cut between two silos removes neither.
        options.NumVotesForDeathDeclaration = 2;

        // A silo that two members see behind a third stays a member for ever, though the two cannot call each other. And a hung silo is found later.
        options.EnableIndirectProbes = false;

        // Two silos vote within a second of each other. An older vote is about another failure.
        options.DeathVoteExpirationTimeout = TimeSpan.FromSeconds(10);

        // Gossip spreads changes, and each heartbeat notices them. This is for changes that both missed.
        options.TableRefreshTimeout = TimeSpan.FromSeconds(5);

        // A silo that starts after all were killed knows them by heartbeats that do not move.
        options.IAmAliveTablePublishTimeout = SiloEvidence.Heartbeat;

        // A process that cannot join ends, and who supervises it starts it again.
        options.MaxJoinAttemptTime = TimeSpan.FromSeconds(30);
    }

    public static void Apply(SiloMessagingOptions options)
    {
        // What silos ask of each other for Orleans, such as where a grain is. Where the network between two of them is cut, it fails after this. Grain calls have their own.
        options.SystemResponseTimeout = TimeSpan.FromSeconds(3);
    }

    public static void Apply(ConnectionOptions options)
    {
        // Longer keeps callers of machines that are gone.
        options.OpenConnectionTimeout = TimeSpan.FromSeconds(2);

        // In between all calls to that silo fail at once. A second is long for a silo that has just come back.
        options.ConnectionRetryDelay = TimeSpan.FromMilliseconds(250);
    }
}
