using Cluster.Gateway.Metrics;

namespace Cluster.Gateway.Routing;

/// <summary>Keeps the request series of exactly the versions that there are.</summary>
internal static class RouteMetrics
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
