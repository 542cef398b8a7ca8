using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Cluster.Runtime;

/// <summary>
/// Orleans' options where ours differ from its defaults: a failure is to be noticed in seconds, and loading a model may take long. The configuration's section
/// "Orleans" takes their place; docs/orleans.md says what each does.
/// </summary>
internal static class OrleansDefaults
{
    /// <summary>Longer than any model takes to load.</summary>
    private static readonly TimeSpan LongestLoad = TimeSpan.FromHours(1);

    public static void AddSiloDefaults(this ISiloBuilder silo)
    {
        var services = silo.Services;
        AddCluster(services);
        services.AddOptions<SiloOptions>().Configure<IOptions<ActorRuntimeOptions>>(static (orleans, ours) => orleans.SiloName = ours.Value.SiloName
            ?? string.Create(CultureInfo.InvariantCulture, $"{Dns.GetHostName()}:{ours.Value.AdvertisedEndpoint.Port}"));
        services.AddOptions<EndpointOptions>().Configure<SiloEndpoints>(static (orleans, endpoints) => endpoints.Configure(orleans));
        services.AddOptions<SiloMessagingOptions>().Configure<IOptions<ActorRuntimeOptions>, IOptions<MessagingOptions>>(static (orleans, ours, messaging) =>
        {
            Configure(orleans, ours.Value, messaging.Value);
            orleans.MaxRequestProcessingTime = LongestLoad * 2;
        });
        services.AddOptions<GrainCollectionOptions>().Configure<IOptions<ActorRuntimeOptions>>(static (orleans, ours) =>
        {
            orleans.CollectionAge = ours.Value.CollectionAge;
            orleans.CollectionQuantum = ours.Value.CollectionQuantum;
            orleans.DeactivationTimeout = ours.Value.DeactivationTimeout;
            orleans.ActivationTimeout = LongestLoad;
        });
        services.Configure<ClusterMembershipOptions>(static orleans =>
        {
            orleans.ProbeTimeout = TimeSpan.FromSeconds(1);
            orleans.NumMissedProbesLimit = 2;

            // An indirect probe of a hung silo times out at both ends at once and counts for nothing: such a silo was found dead after 15 s, not 3.
            orleans.EnableIndirectProbes = false;
            orleans.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            orleans.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(2);
            orleans.DeathVoteExpirationTimeout = TimeSpan.FromSeconds(10);
            orleans.LocalHealthDegradationMonitoringPeriod = TimeSpan.FromSeconds(2);
            orleans.MaxJoinAttemptTime = TimeSpan.FromSeconds(30);
            orleans.DefunctSiloExpiration = TimeSpan.FromMinutes(10);
            orleans.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(1);
        });
        BindTo<ClusterMembershipOptions>(services, "Membership");
        BindTo<SiloMessagingOptions>(services, "Messaging");
        BindTo<GrainCollectionOptions>(services, "Collection");
    }

    public static void AddClientDefaults(this IClientBuilder client)
    {
        var services = client.Services;
        AddCluster(services);
        services.AddOptions<ClientMessagingOptions>().Configure<IOptions<ActorRuntimeOptions>, IOptions<MessagingOptions>>(static (orleans, ours, messaging) =>
            Configure(orleans, ours.Value, messaging.Value));
        services.Configure<GatewayOptions>(static orleans => orleans.GatewayListRefreshPeriod = TimeSpan.FromSeconds(1));
        BindTo<ClientMessagingOptions>(services, "Messaging");
        BindTo<GatewayOptions>(services, "Gateways");
        client.UseConnectionRetryFilter<AwaitSilos>();
    }

    private static void AddCluster(IServiceCollection services)
    {
        services.AddOptions<Orleans.Configuration.ClusterOptions>().Configure<IOptions<ActorRuntimeOptions>>(static (orleans, ours) =>
        {
            orleans.ClusterId = ours.Value.ClusterId;
            orleans.ServiceId = ours.Value.ClusterId;
        });
        services.AddOptions<ConnectionOptions>().Configure<IOptions<MessagingOptions>>(static (orleans, ours) =>
        {
            orleans.OpenConnectionTimeout = ours.Value.ConnectTimeout;
            orleans.ConnectionRetryDelay = TimeSpan.FromMilliseconds(250);
        });
        BindTo<ConnectionOptions>(services, "Connections");
    }

    private static void BindTo<TOptions>(IServiceCollection services, string section)
        where TOptions : class => services.AddOptions<TOptions>().BindConfiguration($"Orleans:{section}");

    private static void Configure(Orleans.Configuration.MessagingOptions orleans, ActorRuntimeOptions ours, MessagingOptions messaging)
    {
        orleans.ResponseTimeout = ours.ResponseTimeout == Timeout.InfiniteTimeSpan ? TimeSpan.FromDays(1) : ours.ResponseTimeout;
        orleans.MaxMessageBodySize = messaging.MaxMessageBytes;
    }
}
