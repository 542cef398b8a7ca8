using Cluster.Contracts.Options;
using Cluster.Grains.Aliases;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Grains.Cluster;

/// <summary>Registers what a silo does for the cluster.</summary>
public static class ClusterWork
{
    /// <summary>
    /// Call it after <c>AddModelGrains</c> and Orleans: hosted services stop in the reverse order, and copies move while everything else still works.
    /// </summary>
    public static IServiceCollection AddClusterWork(this IServiceCollection services)
    {
        services.AddClusterOptions<ClusterOptions>();
        services.AddSingleton<ClusterMetrics>();
        services.AddHostedService<CopyLoadReporter>();
        services.AddSingleton<ClusterCaretaker>();
        services.AddSingleton<ControllerDuty>();
        services.AddHostedService<ControllerWatch>();
        services.AddHostedService<AliasTransitions>();
        services.AddHostedService<SiloDrain>();
        return services;
    }
}
