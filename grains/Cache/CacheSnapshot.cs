namespace Cluster.Grains.Cache;

/// <summary>A cache at one moment, in bytes.</summary>
/// <param name="Capacity">What replicas may take together.</param>
/// <param name="Used">Of replicas that are loaded or being loaded.</param>
/// <param name="Unloading">Of replicas whose unload has not finished.</param>
/// <param name="Waiting">Of loads that wait for room.</param>
/// <param name="Copies">Loaded or being loaded.</param>
/// <param name="Loading">Being loaded or waiting for room.</param>
/// <param name="OldestIdle">Since the longest unused replica was used; null where none is loaded.</param>
/// <param name="ChurnAge">Age below which the churn guard lets nothing be evicted.</param>
internal readonly record struct CacheSnapshot(
    long Capacity, long Used, long Unloading, long Waiting, int Copies, int Loading, TimeSpan? OldestIdle, TimeSpan ChurnAge)
{
    /// <summary>What is taken beyond the capacity because replicas turned out larger than predicted; no load begins before it is paid back.</summary>
    public long Deficit => Math.Max(0, Used + Unloading - Capacity);
}
