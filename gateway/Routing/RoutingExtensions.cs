using Cluster.Contracts.Serving;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Serving;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Gateway.Routing;

/// <summary>Registers the way from a model's name to a copy's answer.</summary>
internal static class RoutingExtensions
{
    /// <summary>Needs the process' serving states, aliases, silo health, grain factory, clock and metrics.</summary>
    public static IServiceCollection AddModelRouting(this IServiceCollection services) => services
        .AddSingleton<RouteTable>()
        .AddSingleton<RouteChanges>()
        .AddSingleton<RoutingMetrics>()
        .AddSingleton<ControlCalls>()
        .AddSingleton(static provider => new CopyChooser(provider.GetRequiredService<ISiloHealth>(), new Random()))
        .AddSingleton<ModelNames>()
        .AddSingleton<InferenceDispatcher>();
}
