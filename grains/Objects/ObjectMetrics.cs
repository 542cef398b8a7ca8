using Cluster.Metrics;

namespace Cluster.Grains.Objects;

/// <summary>What a silo tells of reading object storage. Its series are there, at 0, as long as the process is. Thread-safe.</summary>
internal sealed class ObjectMetrics(MetricRegistry registry)
{
    /// <summary>Seconds, a tenth to an hour.</summary>
    private static readonly double[] Bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

    private readonly ValueSeries _bytes = registry.Counter("cluster_storage_downloaded_bytes", "Bytes read from object storage.").Acquire();
    private readonly HistogramSeries _seconds = registry.Histogram("cluster_storage_download_seconds", "Time of downloads of model versions, in seconds.", Bounds).Acquire();
    private readonly Dictionary<StoreFailure, ValueSeries> _retries = Retries(registry);
    private readonly ValueSeries _failures = registry.Counter("cluster_storage_failures", "Downloads of model versions that failed.").Acquire();
    private readonly ValueSeries _cached = registry.Gauge("cluster_storage_cache_bytes", "Bytes of object storage that the silo keeps on its disk.").Acquire();
    private readonly ValueSeries _limit = registry.Gauge("cluster_storage_cache_limit_bytes", "The most bytes of object storage that the silo keeps on its disk.").Acquire();
    private readonly ValueSeries _hits = registry.Counter("cluster_storage_cache_hits", "Loads whose files were on the silo's disk.").Acquire();
    private readonly ValueSeries _evictions = registry.Counter("cluster_storage_cache_evictions", "Model versions removed from the silo's disk for others.").Acquire();
    private readonly ValueSeries _damaged = registry.Counter("cluster_storage_cache_damaged", "Model versions on the silo's disk that had changed there.").Acquire();

    public void Read(int bytes) => _bytes.Add(bytes);

    public void Downloaded(TimeSpan time) => _seconds.Record(time.TotalSeconds);

    public void Failed() => _failures.Increment();

    /// <param name="failure">A passing one.</param>
    public void Retried(StoreFailure failure) => _retries[failure].Increment();

    public void Hit() => _hits.Increment();

    public void Evicted() => _evictions.Increment();

    public void Damaged() => _damaged.Increment();

    /// <param name="bytes">On the disk.</param>
    /// <param name="limit">That may be there.</param>
    public void Cached(long bytes, long limit)
    {
        _cached.Set(bytes);
        _limit.Set(limit);
    }

    private static Dictionary<StoreFailure, ValueSeries> Retries(MetricRegistry registry)
    {
        var family = registry.Counter("cluster_storage_retries", "Requests to object storage that were made again, by reason.", "reason");
        return new() { [StoreFailure.Away] = family.Acquire("away"), [StoreFailure.Busy] = family.Acquire("busy") };
    }
}
