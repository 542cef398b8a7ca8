using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Grains;
using Cluster.Grains.Placement;
using Cluster.Silo.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Cluster.Silo.Clustering;

/// <summary>How a process takes part in the cluster: every process is an Orleans silo, a gateway is one that hosts no grain class of ours.</summary>
internal sealed record OrleansSilo
{
    /// <summary>Processes with another cluster identity are strangers.</summary>
    public required string ClusterId { get; init; }

    public bool IsGateway { get; init; }

    /// <summary>Where the other processes reach this one; null: there are no others.</summary>
    public IPEndPoint? Advertised { get; init; }

    /// <summary>Where this process listens for the others; null: at <see cref="Advertised"/>.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>For mutual TLS with the others; null: connections are plain.</summary>
    public PeerTlsFiles? Tls { get; init; }

    /// <summary>Host and port, for people; says the role (<see cref="SiloRole"/>).</summary>
    public string Name
    {
        get
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{Dns.GetHostName()}:{Advertised?.Port ?? 0}");
            return IsGateway ? SiloRole.GatewayName(name) : name;
        }
    }
}

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

/// <summary>Registers Microsoft Orleans.</summary>
internal static class OrleansSiloServiceCollectionExtensions
{
    /// <summary>
    /// Adds this process' silo. One of many with the membership in Redis, whose connection (<c>AddClusterNetwork</c>) and maps are registered before, or one
    /// alone, with its membership in memory.
    /// </summary>
    public static IServiceCollection AddOrleansSilo(this IServiceCollection services, OrleansSilo silo)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(silo);
        services.TryAddSingleton<ClusterStanding>();
        services.TryAddSingleton<IFatalErrorHandler, RemovalHandler>();
        return services.AddOrleans(orleans =>
        {
            orleans.AddDefaults(silo);
            orleans.UseFrameTransport(silo.Tls);
            if (silo.Advertised is null)
            {
                orleans.UseDevelopmentClustering(primarySiloEndpoint: null!);
            }
            else
            {
                orleans.AddClusterMembership();
            }

            if (silo.IsGateway)
            {
                // Placement takes silos by the grain classes that they have.
                services.Configure<GrainTypeOptions>(static types => types.Classes.RemoveWhere(static type => type.Assembly == typeof(ModelGrains).Assembly));
            }

            orleans.AddOutgoingGrainCallFilter<RejectionFilter>();
        });
    }
}

/// <summary>Keeps ports that are chosen from becoming the local end of some connection before Orleans listens there.</summary>
internal sealed class HeldPorts : IDisposable
{
    private readonly List<Socket> _held = [];

    /// <summary>Holds a port; 0 for any that is free.</summary>
    /// <returns>The port; null if another socket has it.</returns>
    public int? TryHold(IPAddress address, int port)
    {
        // Bound and not listening: Orleans may still bind it to listen, and the system picks it for no other socket.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(address, port));
            _held.Add(socket);
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    public void Dispose() => _held.ForEach(static socket => socket.Dispose());
}
