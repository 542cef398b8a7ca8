using System.Collections.Immutable;

namespace Cluster.Grains.Cache;

/// <summary>What follows from a change of the cache, for the caller to carry out.</summary>
/// <param name="Granted">Loads that waited and have their room now.</param>
/// <param name="Evicted">Replicas that must be unloaded.</param>
/// <param name="Refused">Loads that waited and will not get their room.</param>
internal readonly record struct CacheChange(
    ImmutableArray<CacheEntry> Granted, ImmutableArray<CacheEntry> Evicted, ImmutableArray<CacheEntry> Refused)
{
    public static CacheChange None { get; } = new([], [], []);
}
