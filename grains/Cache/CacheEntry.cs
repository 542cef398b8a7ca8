using Cluster.Contracts.Models;

namespace Cluster.Grains.Cache;

/// <summary>
/// One replica's place in a silo's cache. Using it takes no lock: a use is a stamp of the time and a count of pins. Eviction closes the count, so that a use either keeps the replica or learns that it is too late.
/// </summary>
internal sealed class CacheEntry
{
    /// <summary>Far below any number of pins: a closed count stays negative.</summary>
    private const int Closed = int.MinValue / 2;

    private readonly TimeProvider _time;
    private long _lastUsed;
    private int _pins;

    public CacheEntry(string key, long bytes, long epoch, long lastUsed, TimeProvider time)
    {
        Key = key;
        Bytes = bytes;
        Epoch = epoch;
        _lastUsed = lastUsed;
        _time = time;
    }

    /// <summary>The replica's grain key.</summary>
    public string Key { get; }

    /// <summary>Greater than that of every entry made before in this process: a load's fencing token.</summary>
    public long Epoch { get; }

    /// <summary>Bytes that the replica is reckoned with: predicted, then measured. Changed by the cache alone.</summary>
    public long Bytes { get; internal set; }

    /// <summary>Changed by the cache alone.</summary>
    public CacheEntryState State { get; internal set; }

    /// <summary>Whose share of the memory it is reckoned to. Changed by the cache alone.</summary>
    public CallerShare Owner { get; internal set; }

    /// <summary>Whether the room is claimed for a load that has not begun. Changed by the cache alone.</summary>
    public bool Claimed { get; internal set; }

    /// <summary>What ends the replica once it is evicted; called at most once, from any thread. Set before the replica is loaded.</summary>
    public Action? Evict { get; set; }

    /// <summary>Ends the wait for room: true with it, false when it cannot be had.</summary>
    public TaskCompletionSource<bool> Admission { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Time since the replica was used; zero while it is.</summary>
    public TimeSpan IdleTime => IsPinned ? TimeSpan.Zero : _time.GetElapsedTime(Volatile.Read(ref _lastUsed));

    public bool IsPinned => Volatile.Read(ref _pins) > 0;

    /// <summary>Timestamp of the last use.</summary>
    internal long LastUsed => Volatile.Read(ref _lastUsed);

    /// <summary>Whether a caller is the replica's owner, with another weight than it is reckoned with.</summary>
    public bool IsOutweighed(CallerShare caller) => Owner is var owner && caller.Key == owner.Key && caller.ValidWeight() != owner.ValidWeight();

    /// <summary>Keeps the replica from being evicted until <see cref="Unpin"/>; false: it is being unloaded.</summary>
    public bool TryPin()
    {
        if (Interlocked.Increment(ref _pins) > 0)
        {
            Touch();
            return true;
        }

        Interlocked.Decrement(ref _pins);
        return false;
    }

    /// <summary>Ends a pin.</summary>
    public void Unpin()
    {
        Touch();
        Interlocked.Decrement(ref _pins);
    }

    /// <summary>Allows no further pin, if there is none now.</summary>
    internal bool TryClose() => Interlocked.CompareExchange(ref _pins, Closed, 0) == 0;

    /// <summary>Allows no further pin.</summary>
    internal void Close()
    {
        if (Volatile.Read(ref _pins) >= 0)
        {
            Interlocked.Add(ref _pins, Closed);
        }
    }

    private void Touch() => Volatile.Write(ref _lastUsed, _time.GetTimestamp());
}

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
