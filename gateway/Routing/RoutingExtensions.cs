using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Serving;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Gateway.Routing;

/// <summary>Registers the way from a model's name to a replica's answer.</summary>
internal static class RoutingExtensions
{
    /// <summary>Needs the process' serving states, aliases, silo health, grain factory, clock and metrics.</summary>
    public static IServiceCollection AddModelRouting(this IServiceCollection services) => services
        .AddSingleton(static provider => new RouteTable(
            provider.GetRequiredService<IServingStates>(), provider.GetRequiredService<IGrainFactory>(), provider.GetService<ILocalReplicas>()))
        .AddSingleton<RouteChanges>()
        .AddSingleton<RoutingMetrics>()
        .AddSingleton<ControlCalls>()
        .AddSingleton<ReplicaLoads>()
        .AddSingleton(static provider => new ReplicaChooser(provider.GetRequiredService<ISiloHealth>(), new Random()))
        .AddSingleton<ModelNames>()
        .AddSingleton<Suspects>()
        .AddSingleton<InferenceDispatcher>();
}
