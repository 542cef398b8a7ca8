namespace Cluster.Grains.Cache;

/// <summary>How much a silo keeps loaded, and when it changes what it keeps. Sources name where a default comes from.</summary>
public sealed class ModelCacheOptions
{
    /// <summary>
    /// Bytes that loaded copies may take together, at least 1; <see cref="long.MaxValue"/>, the default, is no limit. A silo process sets a share of its
    /// memory. More keeps more models loaded, and leaves less to what they need while they run, to requests and to the runtime.
    /// </summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>
    /// Bytes predicted for a copy that was never loaded, as a multiple of its version's files; 1 to 100, default 1.25. Measured on ONNX Runtime 1.29, a
    /// session holds 0.5 to 1.1 times its file; a prediction a little above spares the eviction that an overrun causes. Higher evicts more than is needed.
    /// </summary>
    public double SizeFactor { get; set; } = 1.25;

    /// <summary>
    /// Bytes that every copy is reckoned with beside its weights, for graph, names and session; 0 to 1 GiB, default 128 KiB. Measured on ONNX Runtime 1.29,
    /// sessions of small graphs add 60 to 400 KiB to the process.
    /// </summary>
    public long BaseBytes { get; set; } = 128 << 10;

    /// <summary>
    /// Churn guard: a copy is evicted only when it has been unused for this many load times; 0 to 1000, default 10 (ModelMesh: minChurnAge is ten load
    /// times). 0 never refuses. Higher refuses earlier under too many models, lower lets a silo spend its time on loads.
    /// </summary>
    public double ChurnLoadTimes { get; set; } = 10;

    /// <summary>
    /// Least load time that the churn guard reckons with, 0 to 1 h. Default 100 ms, so that nothing is evicted within a second of its use. (ModelMesh: 3 s, for
    /// models that are fetched from object storage first.)
    /// </summary>
    public TimeSpan MinLoadTime { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long ago a copy that nobody asked for yet is taken to have been used, 0 to 30 days. Default 1 h (ModelMesh: LASTUSED_AGE_ON_ADD), so that it gives way
    /// to what is used.
    /// </summary>
    public TimeSpan AgeOnEagerLoad { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a load may wait for the unloads that make its room, 1 ms to 1 h. Default 3 min (ModelMesh: the wait for cache space).</summary>
    public TimeSpan RoomTimeout { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>
    /// How long a load on demand that failed is remembered before it is tried again, 1 s to 1 day. Default 15 min (ModelMesh: LOAD_FAILURE_EXPIRY). Shorter
    /// heals sooner, longer spends less on loads that fail.
    /// </summary>
    public TimeSpan FailureMemory { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Every mistake in the options, empty if there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (Capacity < 1)
        {
            yield return $"cache capacity must be at least 1 byte, got {Capacity}";
        }

        if (SizeFactor is not (>= 1 and <= 100))
        {
            yield return $"size factor must be 1 to 100, got {SizeFactor}";
        }

        if (BaseBytes is < 0 or > 1 << 30)
        {
            yield return $"base bytes of a copy must be 0 to {1 << 30}, got {BaseBytes}";
        }

        if (ChurnLoadTimes is not (>= 0 and <= 1000))
        {
            yield return $"churn load times must be 0 to 1000, got {ChurnLoadTimes}";
        }

        if (MinLoadTime < TimeSpan.Zero || MinLoadTime > TimeSpan.FromHours(1))
        {
            yield return $"least load time must be 0 to 1 h, got {MinLoadTime}";
        }

        if (AgeOnEagerLoad < TimeSpan.Zero || AgeOnEagerLoad > TimeSpan.FromDays(30))
        {
            yield return $"age on eager load must be 0 to 30 days, got {AgeOnEagerLoad}";
        }

        if (RoomTimeout < TimeSpan.FromMilliseconds(1) || RoomTimeout > TimeSpan.FromHours(1))
        {
            yield return $"room timeout must be 1 ms to 1 h, got {RoomTimeout}";
        }

        if (FailureMemory < TimeSpan.FromSeconds(1) || FailureMemory > TimeSpan.FromDays(1))
        {
            yield return $"failure memory must be 1 s to 1 day, got {FailureMemory}";
        }
    }
}
