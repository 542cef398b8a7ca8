using System.Diagnostics.Metrics;
using Cluster.Contracts.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Gateway.Metrics;

/// <summary>Registers what gateways count and the exporter.</summary>
public static class ClusterMetricsExtensions
{
    /// <summary>Adds the metrics of requests and of the process, and the exporter that <see cref="MetricsEndpoint.MapMetrics"/> answers from.</summary>
    /// <param name="configure">Chooses meters and bounds; null for the defaults.</param>
    public static IServiceCollection AddClusterMetrics(this IServiceCollection services, Action<PrometheusOptions>? configure = null)
    {
        services.AddMetrics();
        services.TryAddSingleton<MetricRegistry>();
        services.TryAddSingleton<ProcessMetrics>();
        services.TryAddSingleton<RequestMetrics>();
        services.TryAddSingleton(provider =>
        {
            var options = new PrometheusOptions();
            configure?.Invoke(options);
            _ = provider.GetRequiredService<ProcessMetrics>();
            return new PrometheusExporter(provider.GetRequiredService<MetricRegistry>(), provider.GetRequiredService<IMeterFactory>(), options);
        });
        return services;
    }
}
