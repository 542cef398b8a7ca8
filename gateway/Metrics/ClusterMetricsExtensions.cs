using System.Diagnostics.Metrics;
using Cluster.Contracts.Options;
using Cluster.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Gateway.Metrics;

/// <summary>Registers what gateways count and the exporter.</summary>
public static class ClusterMetricsExtensions
{
    /// <summary>Adds the metrics of requests and of the process, and the exporter that <see cref="MetricsEndpoint.MapMetrics"/> answers from.</summary>
    public static IServiceCollection AddClusterMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<MetricRegistry>();
        services.TryAddSingleton<ProcessMetrics>();
        services.TryAddSingleton<RequestMetrics>();
        services.AddClusterOptions<PrometheusOptions>();
        services.TryAddSingleton(static provider =>
        {
            _ = provider.GetRequiredService<ProcessMetrics>();
            return new PrometheusExporter(provider.GetRequiredService<MetricRegistry>(), provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<PrometheusOptions>());
        });
        return services;
    }
}
