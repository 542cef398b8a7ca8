using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Serving;
using Cluster.Gateway.Traffic;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Routing;

/// <summary>Registers the way from a model's name to a replica's answer.</summary>
internal static class RoutingExtensions
{
    /// <summary>Needs the process' serving states, aliases, silo health, grain factory, clock, metrics and <see cref="TrafficOptions"/>.</summary>
    public static IServiceCollection AddModelRouting(this IServiceCollection services) => services
        .AddSingleton(static provider => new RouteTable(
            provider.GetRequiredService<IServingStates>(), provider.GetRequiredService<IGrainFactory>(), provider.GetService<ILocalReplicas>()))
        .AddSingleton<RouteChanges>()
        .AddSingleton<RoutingMetrics>()
        .AddSingleton<ControlCalls>()
        .AddSingleton<ClusterCalls>()
        .AddSingleton<ReplicaLoads>()
        .AddSingleton(static provider => new ReplicaChooser(provider.GetRequiredService<ISiloHealth>(), new Random()))
        .AddSingleton(static provider => new TrafficChance(new Random()))
        .AddSingleton<TrafficMetrics>()
        .AddSingleton<TrafficTable>()
        .AddSingleton(static provider => new Rollbacks(
            provider.GetRequiredService<IGrainFactory>(),
            provider.GetRequiredService<ControlCalls>(),
            provider.GetRequiredService<ILocalSiloDetails>().Name,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Rollbacks>>()))
        .AddSingleton<Mirrors>()
        .AddSingleton<TrafficRouter>()
        .AddSingleton<ManagedTraffic>()
        .AddSingleton<ModelNames>()
        .AddSingleton<Suspects>()
        .AddSingleton<InferenceDispatcher>();
}

/// <summary>Keeps the request series of exactly the versions that there are.</summary>
internal static class RequestSeriesUpkeep
{
    /// <summary>Follows <paramref name="routes"/>, and counts those that are there already.</summary>
    public static void Follow(this RequestMetrics metrics, RouteTable routes)
    {
        routes.Changed += (old, now) => Update(metrics, old, now);
        foreach (var route in routes.All)
        {
            Update(metrics, null, route);
        }
    }

    private static void Update(RequestMetrics metrics, ModelRoute? old, ModelRoute? now)
    {
        var versions = now?.Versions.Select(version => version.Version).ToHashSet() ?? [];
        foreach (var version in versions)
        {
            metrics.Ensure(now!.State.Name, version);
        }

        foreach (var gone in old?.Versions.Where(version => !versions.Contains(version.Version)) ?? [])
        {
            metrics.Forget(old!.State.Name, gone.Version);
        }
    }
}
