using Cluster.Contracts.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains.Metrics;

/// <summary>Registers what silos count.</summary>
public static class CopyMetricsExtensions
{
    /// <summary>Adds the metrics of copies and of loads, and the <see cref="MetricRegistry"/> if it is not there yet.</summary>
    public static IServiceCollection AddCopyMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<MetricRegistry>();
        services.TryAddSingleton<CopyMetricsFactory>();
        services.TryAddSingleton<LoadMetrics>();
        return services;
    }
}
