using Cluster.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains.Metrics;

/// <summary>Registers what silos count.</summary>
public static class ReplicaMetricsServiceCollectionExtensions
{
    /// <summary>Adds the metrics of replicas and of loads, and the <see cref="MetricRegistry"/> if it is not there yet.</summary>
    public static IServiceCollection AddReplicaMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<MetricRegistry>();
        services.TryAddSingleton<ReplicaMetricsFactory>();
        services.TryAddSingleton<LoadMetrics>();
        return services;
    }
}
