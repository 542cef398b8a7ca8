namespace Cluster.Grains.Cache;

/// <summary>Where a cache entry is in its life; it only moves forward.</summary>
internal enum CacheEntryState
{
    /// <summary>Has no room yet; the unloads that make it are under way.</summary>
    Waiting,

    /// <summary>Has its room and is being loaded. Never evicted.</summary>
    Loading,

    /// <summary>Loaded. May be evicted while it is not pinned.</summary>
    Resident,

    /// <summary>Being unloaded, evicted or not; its room is still taken.</summary>
    Unloading,

    /// <summary>Not in the cache any more.</summary>
    Gone,
}
