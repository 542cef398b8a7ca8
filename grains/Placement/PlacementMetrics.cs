using Cluster.Metrics;

namespace Cluster.Grains.Placement;

/// <summary>Counts where replicas went. Its series are there, at 0, as long as the process is. Thread-safe.</summary>
internal sealed class PlacementMetrics(MetricRegistry registry)
{
    private readonly Dictionary<PlacementReason, ValueSeries> _placements = Series(registry);

    public void Placed(PlacementReason reason) => _placements[reason].Increment();

    private static Dictionary<PlacementReason, ValueSeries> Series(MetricRegistry registry)
    {
        var family = registry.Counter("cluster_placements", "Replicas placed on a silo, by how it was chosen.", "reason");
        return new()
        {
            [PlacementReason.OnlySilo] = family.Acquire("only_silo"),
            [PlacementReason.FirstCopy] = family.Acquire("first_copy"),
            [PlacementReason.FurtherCopy] = family.Acquire("further_copy"),
            [PlacementReason.NoSilo] = family.Acquire("no_silo"),
        };
    }
}
