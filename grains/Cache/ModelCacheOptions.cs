using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Cache;

/// <summary>How much a silo keeps loaded, and when it changes that. Parentheses name the source of a default.</summary>
[Section("Cache")]
public sealed class ModelCacheOptions
{
    /// <summary>
    /// Bytes that loaded replicas may take together, at least 1; <see cref="long.MaxValue"/>, the default, is no limit. A silo process sets a share of its
    /// memory. More keeps more models loaded, and leaves less to what they need while they run, to requests and to the runtime.
    /// </summary>
    [SetBy("Cluster:Capacity")]
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>
    /// Bytes predicted for a replica that was never loaded, as a multiple of its version's files. 1 to 100, default 1.25. Measured on ONNX Runtime 1.29, a
    /// session holds 0.5 to 1.1 times its file. A prediction a little above spares the eviction that an overrun causes. Higher evicts more than is needed.
    /// </summary>
    [Range(1.0, 100.0)]
    public double SizeFactor { get; set; } = 1.25;

    /// <summary>
    /// Bytes that are added for every replica beside its weights, for graph, names and session. 0 to 1 GiB, default 128 KiB. Measured on ONNX Runtime 1.29,
    /// sessions of small graphs add 60 to 400 KiB to the process.
    /// </summary>
    [Range(typeof(long), "0", "1073741824")]
    public long BaseBytes { get; set; } = 128 << 10;

    /// <summary>
    /// Churn guard: a replica is evicted only when it has been unused for this many load times. 0 to 1000, default 10 (ModelMesh: minChurnAge is ten load
    /// times). 0 never refuses. Higher refuses earlier under too many models, lower lets a silo spend its time on loads.
    /// </summary>
    [Range(0.0, 1000.0)]
    public double ChurnLoadTimes { get; set; } = 10;

    /// <summary>
    /// Least load time that the churn guard reckons with, 0 to 1 h. Default 100 ms, so that no replica is evicted within a second of its use. (ModelMesh: 3 s, for
    /// models that are fetched from object storage first.)
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan MinLoadTime { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Assumed age of the last use of a replica without a request yet, 0 to 30 days. Default 1 h (ModelMesh: LASTUSED_AGE_ON_ADD), so that it goes before replicas in use.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan AgeOnEagerLoad { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a load may wait for the unloads that make its room, 1 ms to 1 h. Default 3 min (ModelMesh: the wait for cache space).</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan RoomTimeout { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>
    /// How long a load on demand that failed is remembered before it is tried again, 1 s to 1 day. Default 15 min (ModelMesh: LOAD_FAILURE_EXPIRY). Shorter
    /// heals sooner, longer spends less on loads that fail.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan FailureMemory { get; set; } = TimeSpan.FromMinutes(15);
}
