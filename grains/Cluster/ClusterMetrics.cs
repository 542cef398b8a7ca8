using Cluster.Metrics;

namespace Cluster.Grains.Cluster;

/// <summary>What this silo did for the cluster. Its series are there, at 0, as long as the process is. Thread-safe.</summary>
internal sealed class ClusterMetrics(MetricRegistry registry)
{
    private readonly ValueSeries _losses = registry.Counter("cluster_silo_losses_handled", "Silos whose loss this one told the models of.").Acquire();
    private readonly ValueSeries _ahead = registry.Counter("cluster_loads_ahead", "Models loaded ahead of their next request.").Acquire();
    private readonly (ValueSeries Done, ValueSeries CutShort) _drains = Drains(registry);

    public void LossesHandled(int count) => _losses.Add(count);

    public void LoadedAhead() => _ahead.Increment();

    public void Drained(bool isDone) => (isDone ? _drains.Done : _drains.CutShort).Increment();

    private static (ValueSeries Done, ValueSeries CutShort) Drains(MetricRegistry registry)
    {
        var family = registry.Counter("cluster_drains", "Stops of this silo in a cluster of several, by how its replicas left.", "result");
        return (family.Acquire("done"), family.Acquire("cut_short"));
    }
}
