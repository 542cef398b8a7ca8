using System.Net;
using Cluster.Silo.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Cluster.Bench.Messaging;

/// <summary>The two processes of the benchmark: a silo with the echo grain, and one without grain classes that calls it, as a gateway does.</summary>
internal static class EchoHosts
{
    public static void AddEchoSilo(this IServiceCollection services, int port, PeerTlsFiles? tls) =>
        services.AddOrleans(silo => silo.UseEndpoints(port, new IPEndPoint(IPAddress.Loopback, port), tls));

    /// <param name="port">A free port of 127.0.0.1.</param>
    /// <param name="silo">The echo silo's address.</param>
    public static void AddEchoCaller(this IServiceCollection services, int port, SiloAddress silo, PeerTlsFiles? tls) => services.AddOrleans(caller =>
    {
        caller.UseEndpoints(port, silo.Endpoint, tls);
        caller.Services.Configure<GrainTypeOptions>(static types => types.Classes.Remove(typeof(EchoPayloadGrain)));
    });

    private static void UseEndpoints(this ISiloBuilder silo, int port, IPEndPoint primary, PeerTlsFiles? tls)
    {
        silo.UseDevelopmentClustering(primary);
        silo.UseFrameTransport(tls);
        silo.Services.Configure<EndpointOptions>(endpoints =>
        {
            endpoints.AdvertisedIPAddress = IPAddress.Loopback;
            endpoints.SiloPort = port;
            endpoints.GatewayPort = 0;
        });
        silo.Services.Configure<SiloMessagingOptions>(static messaging => messaging.MaxMessageBodySize = 512 << 20);
    }
}
