using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Bench.Messaging;

/// <summary>The two processes of the benchmark, on the embedded runtime.</summary>
internal static class EchoHosts
{
    public const string Runtime = "embedded";

    public static void AddEchoSilo(this IServiceCollection services, int port)
    {
        services.AddClusterMessaging();
        services.AddActorRuntime(options =>
        {
            options.AdvertisedEndpoint = new IPEndPoint(IPAddress.Loopback, port);
            options.AddApplicationPart(typeof(EchoSilo).Assembly);
        });
    }

    /// <param name="silo">The silo's address for clients.</param>
    public static void AddEchoClient(this IServiceCollection services, SiloAddress silo)
    {
        var cluster = new OneSiloCluster(silo);
        services.AddSingleton<IClusterMembershipService>(cluster);
        services.AddSingleton<IGrainDirectory>(cluster);
        services.AddClusterMessaging();
        services.AddActorRuntimeClient();
    }
}
