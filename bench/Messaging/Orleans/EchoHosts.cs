using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Cluster.Bench.Messaging;

/// <summary>The two processes of the benchmark, on Microsoft Orleans.</summary>
internal static class EchoHosts
{
    public const string Runtime = "orleans";

    public static void AddEchoSilo(this IServiceCollection services, int port)
    {
        services.AddActorRuntime();

        // The silo of a cluster of one has no clients; this one has.
        services.PostConfigure<EndpointOptions>(options =>
        {
            options.GatewayPort = port;
            options.GatewayListeningEndpoint = new IPEndPoint(IPAddress.Loopback, port);
        });
    }

    /// <param name="silo">The silo's address for clients.</param>
    public static void AddEchoClient(this IServiceCollection services, SiloAddress silo)
    {
        services.AddActorRuntimeClient();
        services.AddOrleansClient(client => client.UseStaticClustering(silo.Endpoint));
    }
}
