using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Orleans' options where ours differ from its defaults. Those of membership are in <see cref="ClusterMembershipSettings"/>. The configuration's section "Orleans" takes
/// their place; docs/orleans.md says what each does.
/// </summary>
internal static class OrleansDefaults
{
    /// <summary>Bytes of the largest message.</summary>
    private const int MaxMessageBody = 512 << 20;

    public static void AddDefaults(this ISiloBuilder orleans, OrleansSilo silo)
    {
        var services = orleans.Services;
        services.Configure<ClusterOptions>(cluster => cluster.ClusterId = cluster.ServiceId = silo.ClusterId);
        services.Configure<SiloOptions>(options => options.SiloName = silo.Name);
        services.AddSingleton<HeldPorts>();
        services.AddOptions<EndpointOptions>().Configure<HeldPorts>((endpoints, held) => Configure(endpoints, silo, held));
        services.Configure<SiloMessagingOptions>(static messaging => messaging.MaxMessageBodySize = MaxMessageBody);
        BindTo<SiloMessagingOptions>(services, "Messaging");
        BindTo<GrainCollectionOptions>(services, "Collection");
    }

    /// <summary>No port for Orleans clients: there are none. Alone, Orleans listens all the same: on any free port of loopback.</summary>
    private static void Configure(EndpointOptions endpoints, OrleansSilo silo, HeldPorts held)
    {
        var advertised = silo.Advertised ?? new IPEndPoint(IPAddress.Loopback, held.TryHold(IPAddress.Loopback, 0) ?? 0);
        endpoints.AdvertisedIPAddress = advertised.Address;
        endpoints.SiloPort = advertised.Port;
        endpoints.SiloListeningEndpoint = silo.Listen ?? advertised;
        endpoints.GatewayPort = 0;
        endpoints.GatewayListeningEndpoint = null;
    }

    private static void BindTo<TOptions>(IServiceCollection services, string section)
        where TOptions : class => services.AddOptions<TOptions>().BindConfiguration($"Orleans:{section}");
}
