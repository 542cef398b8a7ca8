using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Cache;

/// <summary>
/// The books of one silo's memory: which replicas are loaded, what each takes, and which must go for another to come. A least-recently-used cache weighted
/// by bytes. It decides and keeps accounts; unloading and waiting are the caller's. Safe from any thread.
/// <list type="number">
/// <item>Room is reserved before a load begins, with the predicted size, and counts until an unload has really finished.</item>
/// <item>Evicted is exactly what the loads that wait still lack, counting the unloads that are under way; <see cref="Victims"/> says which replicas.</item>
/// <item>Loads get their room in order of arrival.</item>
/// <item>A replica that measures larger than predicted evicts others. What is over the capacity until they are gone is a deficit, and no load begins before it is
/// paid back.</item>
/// </list>
/// </summary>
internal sealed class ModelCache(ModelCacheOptions options, TimeProvider time)
{
    /// <summary>Weight of the newest load in the mean load time.</summary>
    private const double MeanWeight = 1.0 / 8;

    /// <summary>Between two changes of weights, each of which walks over all entries: gateways with different files may disagree for long.</summary>
    private static readonly TimeSpan WeighPause = TimeSpan.FromSeconds(0.1);

    private readonly Lock _gate = new();
    private readonly Dictionary<int, CallerShare> _weights = [];
    private readonly Dictionary<string, CacheEntry> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<CacheEntry> _waiting = [];
    private long _used;
    private long _unloading;
    private long _waitingBytes;
    private long _lastEpoch;
    private TimeSpan _meanLoadTime;
    private long _nextWeighing = long.MinValue;

    /// <summary>Reserves room for a load that a caller waits for, evicting if it must.</summary>
    /// <param name="bytes">The predicted size; never negative.</param>
    /// <param name="owner">In whose share of the memory it counts.</param>
    /// <param name="freeRoomOnly">Whether it evicts none.</param>
    public CacheDecision Reserve(string key, long bytes, CallerShare owner = default, bool freeRoomOnly = false)
    {
        lock (_gate)
        {
            // A registration has the weight of its day.
            owner = _weights.GetValueOrDefault(owner.Key, owner);
            if (_entries.TryGetValue(key, out var known))
            {
                return Adopt(known, owner);
            }

            if (bytes > options.Capacity)
            {
                return new CacheDecision.Refused(CacheRefusal.TooLarge, bytes, RetryAfter: null, []);
            }

            if (_waiting.Count == 0 && bytes <= Free())
            {
                return new CacheDecision.Granted(AddLocked(key, bytes, TimeSpan.Zero, owner));
            }

            return freeRoomOnly ? new CacheDecision.Refused(CacheRefusal.Full, bytes, RetryAfter: null, []) : MakeRoomLocked(key, bytes, owner);
        }
    }

    /// <summary>
    /// Claims room for a load that no caller waits for, evicting none. The load's own <see cref="Reserve"/> takes the claim over; a claim that none took over
    /// is given back with <see cref="Release"/>.
    /// </summary>
    public CacheDecision Claim(string key, long bytes)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var known))
            {
                return new CacheDecision.Present(known);
            }

            if (bytes > options.Capacity)
            {
                return new CacheDecision.Refused(CacheRefusal.TooLarge, bytes, RetryAfter: null, []);
            }

            if (_waiting.Count > 0 || bytes > Free())
            {
                return new CacheDecision.Refused(CacheRefusal.Full, bytes, RetryAfter: null, []);
            }

            var entry = AddLocked(key, bytes, options.AgeOnEagerLoad, owner: default);
            entry.Claimed = true;
            return new CacheDecision.Granted(entry);
        }
    }

    /// <summary>A load has finished; <paramref name="bytes"/> is what the replica really takes.</summary>
    public CacheChange Loaded(CacheEntry entry, long bytes, TimeSpan loadTime)
    {
        lock (_gate)
        {
            _meanLoadTime = _meanLoadTime == TimeSpan.Zero ? loadTime : _meanLoadTime + ((loadTime - _meanLoadTime) * MeanWeight);
            _used += bytes - entry.Bytes;
            entry.Bytes = bytes;

            // Before the balance is restored, because a replica that overruns is the newest, and others go before it.
            var change = BalanceLocked();
            entry.State = CacheEntryState.Resident;
            return change;
        }
    }

    /// <summary>A loaded replica takes other than it did.</summary>
    public CacheChange Resized(CacheEntry entry, long bytes)
    {
        lock (_gate)
        {
            if (entry.State != CacheEntryState.Resident)
            {
                return CacheChange.None;
            }

            _used += bytes - entry.Bytes;
            entry.Bytes = bytes;

            // It is running: the others go before it.
            entry.State = CacheEntryState.Loading;
            var change = BalanceLocked();
            entry.State = CacheEntryState.Resident;
            return change;
        }
    }

    /// <summary>A replica takes no more requests and is about to be unloaded, evicted or not.</summary>
    public void BeginUnload(CacheEntry entry)
    {
        lock (_gate)
        {
            if (entry.State is CacheEntryState.Loading or CacheEntryState.Resident)
            {
                entry.Close();
                MoveToUnloadingLocked(entry);
            }
        }
    }

    /// <summary>A replica is unloaded, a load failed, or a load that waited gave up: its room is free. A second call does nothing.</summary>
    public CacheChange Release(CacheEntry entry)
    {
        lock (_gate)
        {
            switch (entry.State)
            {
                case CacheEntryState.Waiting:
                    _waiting.Remove(entry);
                    _waitingBytes -= entry.Bytes;
                    break;
                case CacheEntryState.Loading or CacheEntryState.Resident:
                    _used -= entry.Bytes;
                    break;
                case CacheEntryState.Unloading:
                    _unloading -= entry.Bytes;
                    break;
                default:
                    return CacheChange.None;
            }

            entry.Close();
            entry.State = CacheEntryState.Gone;
            _entries.Remove(entry.Key);
            return BalanceLocked();
        }
    }

    /// <summary>Gives a claim back that no load took over.</summary>
    public CacheChange ReleaseClaim(CacheEntry entry)
    {
        lock (_gate)
        {
            return entry.Claimed ? Release(entry) : CacheChange.None;
        }
    }

    /// <summary>An owner has another weight than its registrations say. From now on it counts for all that it has here, and for later loads.</summary>
    /// <param name="owner">With the weight that its last request carried.</param>
    public void Weigh(CallerShare owner)
    {
        var now = time.GetTimestamp();
        if (now < Volatile.Read(ref _nextWeighing))
        {
            return;
        }

        lock (_gate)
        {
            _nextWeighing = now + Ticks(WeighPause);
            _weights[owner.Key] = owner;
            foreach (var entry in _entries.Values.Where(entry => entry.Owner.Key == owner.Key))
            {
                entry.Owner = owner;
            }
        }
    }

    /// <summary>What <see cref="Read"/> says of bytes; at no cost for each entry.</summary>
    public CacheBytes ReadBytes()
    {
        lock (_gate)
        {
            return new CacheBytes(options.Capacity, _used, _unloading, _waitingBytes);
        }
    }

    public CacheSnapshot Read()
    {
        lock (_gate)
        {
            var resident = _entries.Values.Where(entry => entry.State == CacheEntryState.Resident).ToList();
            var loading = _entries.Values.Count(entry => entry.State is CacheEntryState.Loading or CacheEntryState.Waiting);
            return new CacheSnapshot(
                options.Capacity,
                _used,
                _unloading,
                _waitingBytes,
                _entries.Values.Count(entry => entry.State is CacheEntryState.Loading or CacheEntryState.Resident),
                loading,
                resident.Count == 0 ? null : resident.Max(entry => entry.IdleTime),
                ChurnAge());
        }
    }

    private static CacheDecision Adopt(CacheEntry known, CallerShare owner)
    {
        if (!known.Claimed)
        {
            return new CacheDecision.Present(known);
        }

        known.Claimed = false;
        known.Owner = owner;
        return new CacheDecision.Granted(known);
    }

    private CacheDecision MakeRoomLocked(string key, long bytes, CallerShare owner)
    {
        var lacking = Shortfall() + bytes;
        var victims = Victims.Choose(_entries.Values, SharesWith(owner, bytes), lacking, KeepsSince());
        if (victims is [var oldest, ..] && oldest.IdleTime is var idle && idle < ChurnAge() && !Victims.IsOwed(SharesWith(owner, bytes), owner, oldest.Owner))
        {
            return new CacheDecision.Refused(CacheRefusal.Churn, bytes, ChurnAge() - idle, []);
        }

        if (lacking > 0 && victims.Sum(victim => victim.Bytes) < lacking)
        {
            return new CacheDecision.Refused(CacheRefusal.Busy, bytes, ChurnAge(), []);
        }

        var evicted = EvictLocked(victims);
        if (Shortfall() + bytes > 0)
        {
            // A request began to use a victim after it was chosen.
            return new CacheDecision.Refused(CacheRefusal.Busy, bytes, ChurnAge(), evicted);
        }

        var entry = new CacheEntry(key, bytes, NextEpoch(), time.GetTimestamp(), time) { State = CacheEntryState.Waiting, Owner = owner };
        _entries.Add(key, entry);
        _waiting.AddLast(entry);
        _waitingBytes += bytes;
        return new CacheDecision.Waits(entry, evicted);
    }

    /// <summary>Evicts as much as is lacking, gives room to loads that waited for it, and fails loads that can no longer get it.</summary>
    private CacheChange BalanceLocked()
    {
        var lacking = Shortfall();
        var evicted = lacking > 0 ? EvictLocked(Victims.Choose(_entries.Values, new OwnerShares(_entries.Values, options.Capacity), lacking, KeepsSince())) : [];
        var refused = ImmutableArray.CreateBuilder<CacheEntry>();
        while (Shortfall() > 0 && _waiting.Last is { } last)
        {
            TakeFromQueueLocked(last.Value);
            last.Value.State = CacheEntryState.Gone;
            _entries.Remove(last.Value.Key);
            refused.Add(last.Value);
        }

        var granted = ImmutableArray.CreateBuilder<CacheEntry>();
        while (_waiting.First is { } first && first.Value.Bytes <= Free())
        {
            TakeFromQueueLocked(first.Value);
            first.Value.State = CacheEntryState.Loading;
            _used += first.Value.Bytes;
            granted.Add(first.Value);
        }

        return new CacheChange(granted.DrainToImmutable(), evicted, refused.DrainToImmutable());
    }

    private OwnerShares SharesWith(CallerShare owner, long bytes)
    {
        var shares = new OwnerShares(_entries.Values, options.Capacity);
        shares.Add(owner, bytes);
        return shares;
    }

    /// <summary>What no request asked for is as old as this, so that no share keeps it.</summary>
    private long KeepsSince() => time.GetTimestamp() - Ticks(options.AgeOnEagerLoad) + 1;

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>Evicts those of the victims that no request began to use since they were chosen.</summary>
    private ImmutableArray<CacheEntry> EvictLocked(List<CacheEntry> victims)
    {
        var evicted = ImmutableArray.CreateBuilder<CacheEntry>();
        foreach (var victim in victims.Where(victim => victim.TryClose()))
        {
            MoveToUnloadingLocked(victim);
            evicted.Add(victim);
        }

        return evicted.DrainToImmutable();
    }

    private CacheEntry AddLocked(string key, long bytes, TimeSpan age, CallerShare owner)
    {
        var entry = new CacheEntry(key, bytes, NextEpoch(), time.GetTimestamp() - Ticks(age), time) { State = CacheEntryState.Loading, Owner = owner };
        _entries.Add(key, entry);
        _used += bytes;
        return entry;
    }

    private void TakeFromQueueLocked(CacheEntry entry)
    {
        _waiting.Remove(entry);
        _waitingBytes -= entry.Bytes;
    }

    private void MoveToUnloadingLocked(CacheEntry entry)
    {
        entry.State = CacheEntryState.Unloading;
        _used -= entry.Bytes;
        _unloading += entry.Bytes;
    }

    private long Free() => options.Capacity - _used - _unloading;

    /// <summary>What the loads that wait still lack once the unloads under way have finished; a deficit is lacking too.</summary>
    private long Shortfall() => _waitingBytes + _used - options.Capacity;

    private TimeSpan ChurnAge() => options.ChurnLoadTimes * (_meanLoadTime > options.MinLoadTime ? _meanLoadTime : options.MinLoadTime);

    /// <summary>Begins with the time of day, so that a process that starts again does not repeat itself.</summary>
    private long NextEpoch() => _lastEpoch = Math.Max(_lastEpoch + 1, time.GetUtcNow().UtcTicks);
}

/// <summary>The bytes of a cache at one moment, as in <see cref="CacheSnapshot"/>.</summary>
internal readonly record struct CacheBytes(long Capacity, long Used, long Unloading, long Waiting)
{
    /// <inheritdoc cref="CacheSnapshot.Deficit"/>
    public long Deficit => Math.Max(0, Used + Unloading - Capacity);
}

/// <summary>A cache at one moment, in bytes.</summary>
/// <param name="Capacity">What replicas may take together.</param>
/// <param name="Used">Of replicas that are loaded or being loaded.</param>
/// <param name="Unloading">Bytes of replicas with an unload that has not finished.</param>
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
