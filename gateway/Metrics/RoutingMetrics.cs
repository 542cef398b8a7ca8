using Cluster.Gateway.Serving;
using Cluster.Metrics;

namespace Cluster.Gateway.Metrics;

/// <summary>What the gateway had to do beyond one call a request. Its series are there, at 0, as long as the process is. Thread-safe.</summary>
internal sealed class RoutingMetrics
{
    private readonly ValueSeries _moved;
    private readonly ValueSeries _full;
    private readonly ValueSeries _lost;

    public RoutingMetrics(MetricRegistry registry)
    {
        var family = registry.Counter("cluster_gateway_retries", "Calls beyond the first of a request, by what became of the call before.", "reason");
        _moved = family.Acquire("moved");
        _full = family.Acquire("full");
        _lost = family.Acquire("lost");
    }

    /// <summary>Counts a further call after one that ended so.</summary>
    public void Retried(AttemptEnd before) => (before switch
    {
        AttemptEnd.Moved => _moved,
        AttemptEnd.Full => _full,
        _ => _lost,
    }).Increment();
}
