using Cluster.Grains;
using Cluster.Silo.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Cluster.Silo.Clustering;

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
