using Cluster.Contracts.Models;
using Cluster.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains.Metrics;

/// <summary>Makes the metrics of replicas, once they are loaded. One a process; thread-safe.</summary>
internal sealed class ReplicaMetricsFactory(MetricRegistry registry)
{
    private readonly ReplicaMetricFamilies _families = new(registry);

    /// <summary>Requests that replicas of this process have started to run, ever.</summary>
    public long RequestsStarted => _families.RequestsStarted;

    /// <param name="model">The model's name.</param>
    /// <param name="version">At least 1.</param>
    /// <param name="streams">Runs that the execution provider carries out side by side.</param>
    /// <param name="slots">Runs that the replica lets run at once (OVMS's nireq).</param>
    /// <param name="provider">Where the graph runs.</param>
    public ReplicaMetrics Create(string model, long version, int streams, int slots, ExecutionProvider provider = ExecutionProvider.Cpu) =>
        new(_families, model, version, streams, slots, provider == ExecutionProvider.OpenVino ? "openvino" : "cpu");
}

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
