using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Grains.Cluster;

/// <summary>Registers what a silo does for the cluster.</summary>
public static class ClusterWork
{
    /// <summary>
    /// Call it after <c>AddModelGrains</c>, <c>AddActorRuntime</c> and, in a cluster of several silos, <c>UseRedisClustering</c>: hosted services stop in
    /// the reverse order, and copies move while everything else still works.
    /// </summary>
    /// <param name="options">Validated; null for the defaults.</param>
    public static IServiceCollection AddClusterWork(this IServiceCollection services, ClusterOptions? options = null)
    {
        services.AddSingleton(options ?? new ClusterOptions());
        services.AddSingleton<ClusterMetrics>();
        services.AddHostedService<CopyLoadReporter>();
        services.AddHostedService<ClusterCaretaker>();
        services.AddHostedService<SiloDrain>();
        return services;
    }
}
