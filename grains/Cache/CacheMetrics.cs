using Cluster.Metrics;

namespace Cluster.Grains.Cache;

/// <summary>What a silo's cache tells of itself. Its series are there, at 0, as long as the process is. Thread-safe.</summary>
internal sealed class CacheMetrics(MetricRegistry registry)
{
    /// <summary>Seconds: one to ninety days, in steps that a person would choose.</summary>
    private static readonly double[] AgeBounds =
        [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 7_776_000];

    private readonly Lock _lock = new();
    private readonly ValueSeries _capacity = registry.Gauge("cluster_cache_capacity_bytes", "Bytes that loaded replicas may take together.").Acquire();
    private readonly ValueSeries _used = registry.Gauge("cluster_cache_used_bytes", "Bytes of replicas that are loaded or being loaded.").Acquire();
    private readonly ValueSeries _unloading = registry.Gauge("cluster_cache_unloading_bytes", "Bytes of replicas whose unload has not finished.").Acquire();
    private readonly ValueSeries _waiting = registry.Gauge("cluster_cache_waiting_bytes", "Bytes of loads that wait for room.").Acquire();
    private readonly ValueSeries _evictions = registry.Counter("cluster_cache_evictions", "Replicas unloaded to make room for others.").Acquire();
    private readonly HistogramSeries _ages = registry.Histogram(
        "cluster_cache_age_at_eviction_seconds", "Time since the last use of evicted replicas, in seconds.", AgeBounds).Acquire();

    private readonly Dictionary<CacheRefusal, ValueSeries> _refusals = Refusals(registry);

    /// <summary>Takes over the present figures of the cache.</summary>
    public void Update(ModelCache books)
    {
        // Read inside the lock, so that of two updates at once the later one does not write the older figures.
        lock (_lock)
        {
            var now = books.ReadBytes();
            _capacity.Set(now.Capacity);
            _used.Set(now.Used);
            _unloading.Set(now.Unloading);
            _waiting.Set(now.Waiting);
        }
    }

    public void Evicted(TimeSpan idle)
    {
        _evictions.Increment();
        _ages.Record(idle.TotalSeconds);
    }

    public void Refused(CacheRefusal reason) => _refusals[reason].Increment();

    private static Dictionary<CacheRefusal, ValueSeries> Refusals(MetricRegistry registry)
    {
        var family = registry.Counter("cluster_cache_refusals", "Loads that got no room, by reason.", "reason");
        return new()
        {
            [CacheRefusal.TooLarge] = family.Acquire("too_large"),
            [CacheRefusal.Churn] = family.Acquire("churn"),
            [CacheRefusal.Busy] = family.Acquire("busy"),
            [CacheRefusal.Full] = family.Acquire("full"),
        };
    }
}
