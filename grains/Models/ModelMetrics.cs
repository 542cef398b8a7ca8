using System.Collections.Concurrent;
using Cluster.Grains.Scaling;
using Cluster.Metrics;

namespace Cluster.Grains.Models;

/// <summary>
/// What the models of which this silo has the control plane tell of their replicas. Series with a reason are there, at 0, as long as the process is.
/// Thread-safe.
/// </summary>
internal sealed class ModelMetrics(MetricRegistry registry)
{
    private readonly MetricFamily<ValueSeries> _copies = registry.Gauge("cluster_model_copies", "Replicas in memory that take requests, over all silos.", "name");
    private readonly ConcurrentDictionary<string, ValueSeries> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<ScalingCause, ValueSeries> _ups = Causes(
        registry.Counter("cluster_scale_ups", "Replicas added, by reason.", "reason"), ScalingCause.Minimum, ScalingCause.Load, ScalingCause.LastingUse);

    private readonly Dictionary<ScalingCause, ValueSeries> _downs = Causes(
        registry.Counter("cluster_scale_downs", "Replicas taken away, by reason.", "reason"), ScalingCause.Maximum, ScalingCause.ShortMemory);

    private readonly ValueSeries _failuresMoved =
        registry.Counter("cluster_load_failures_moved", "Loads that failed on a silo and were left to another.").Acquire();

    private readonly ValueSeries _copiesMoved = registry.Counter("cluster_copies_moved", "Replicas replaced elsewhere because their silo leaves.").Acquire();

    private readonly ValueSeries _copiesLost = registry.Counter("cluster_copies_lost", "Replicas that were in memory on a silo that was lost.").Acquire();

    private readonly ValueSeries _quarantined =
        registry.Counter("cluster_quarantines", "Model versions taken out of service because one request took down two silos.").Acquire();

    public void Quarantined() => _quarantined.Increment();

    public void Copies(string model, int count) => _models.GetOrAdd(model, name => _copies.Acquire(name)).Set(count);

    /// <summary>Removes a model's series.</summary>
    public void Forget(string model)
    {
        if (_models.TryRemove(model, out var series))
        {
            _copies.Release(series);
        }
    }

    public void ScaledUp(ScalingCause cause, int count) => _ups[cause].Add(count);

    public void ScaledDown(ScalingCause cause) => _downs[cause].Increment();

    public void FailureMoved() => _failuresMoved.Increment();

    public void ReplicaMoved() => _copiesMoved.Increment();

    public void ReplicasLost(int count) => _copiesLost.Add(count);

    private static Dictionary<ScalingCause, ValueSeries> Causes(MetricFamily<ValueSeries> family, params ReadOnlySpan<ScalingCause> causes)
    {
        var series = new Dictionary<ScalingCause, ValueSeries>();
        foreach (var cause in causes)
        {
            series[cause] = family.Acquire(cause switch
            {
                ScalingCause.Minimum => "minimum",
                ScalingCause.Maximum => "maximum",
                ScalingCause.Load => "load",
                ScalingCause.LastingUse => "lasting_use",
                _ => "short_memory",
            });
        }

        return series;
    }
}
