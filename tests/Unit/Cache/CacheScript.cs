using System.Globalization;
using Cluster.Grains.Cache;
using Cluster.Tests.Common;

namespace Cluster.Unit.Cache;

/// <summary>Plays any sequence of steps against a cache, as its users may, and keeps second books to compare with. Throws where something is not as promised.</summary>
internal sealed class CacheScript
{
    public const long Capacity = 1000;

    private readonly ManualTimeProvider _time = new();
    private readonly List<CacheEntry> _entries = [];
    private readonly List<CacheEntry> _pinned = [];
    private readonly ModelCache _cache;
    private int _keys;

    public CacheScript() => _cache = new ModelCache(new ModelCacheOptions { Capacity = Capacity, ChurnLoadTimes = 2 }, _time);

    public int Evictions { get; private set; }

    public void Play((int Kind, int Which, int Bytes) step)
    {
        var deficit = _cache.Read().Deficit;
        switch (step.Kind)
        {
            case 0 or 1:
                Reserve(step.Bytes);
                break;
            case 2:
                Take(_cache.Claim(NextKey(), step.Bytes), before: []);
                break;
            case 3 or 4 when Pick(CacheEntryState.Loading, step.Which) is { } entry:
                var overrun = Math.Max(0, step.Bytes - entry.Bytes);
                Follow(_cache.Loaded(entry, step.Bytes, TimeSpan.FromMilliseconds(step.Bytes)));
                Require(_cache.Read().Deficit <= deficit + overrun, "a load overran its measure");
                return;
            case 5 or 6 when Pick(CacheEntryState.Unloading, step.Which) is { } entry:
                Follow(_cache.Release(entry));
                break;
            case 7 when Pick(CacheEntryState.Resident, step.Which) is { } entry && entry.TryPin():
                _pinned.Add(entry);
                break;
            case 8 when _pinned.Count > 0:
                _pinned[step.Which % _pinned.Count].Unpin();
                _pinned.RemoveAt(step.Which % _pinned.Count);
                break;
            case 9 when Pick((CacheEntryState)(step.Bytes % 3), step.Which) is { } entry:
                Follow(entry.State == CacheEntryState.Resident ? End(entry) : _cache.Release(entry));
                break;
            default:
                _time.Advance(TimeSpan.FromMilliseconds(step.Bytes));
                break;
        }

        Require(_cache.Read().Deficit <= deficit, "a deficit grew without a load that measured more");
    }

    /// <summary>Ends everything that is under way: nothing may wait for ever.</summary>
    public void Finish()
    {
        while (_entries.Find(entry => entry.State is CacheEntryState.Loading or CacheEntryState.Unloading) is { } entry)
        {
            Follow(_cache.Release(entry));
        }

        Require(_cache.Read() is { Waiting: 0, Loading: 0, Unloading: 0 }, "a load waits though nothing is under way");
    }

    public void CheckBooks()
    {
        var now = _cache.Read();
        Require(now.Used == Sum(CacheEntryState.Loading) + Sum(CacheEntryState.Resident), "used");
        Require(now.Unloading == Sum(CacheEntryState.Unloading), "unloading");
        Require(now.Waiting == Sum(CacheEntryState.Waiting), "waiting");
        Require(now is { Used: >= 0, Unloading: >= 0, Waiting: >= 0 }, "never negative");
        Require(now.Waiting == 0 || now.Waiting + now.Used <= Capacity, "what waits gets its room once the unloads under way have finished");
    }

    private void Reserve(long bytes)
    {
        var before = _entries.FindAll(entry => entry is { State: CacheEntryState.Resident, IsPinned: false });
        var idle = before.ToDictionary(entry => entry, entry => entry.IdleTime);
        var books = _cache.Read();
        var decision = _cache.Reserve(NextKey(), bytes);
        Take(decision, before);
        if (decision is not CacheDecision.Waits waits)
        {
            return;
        }

        var lacking = books.Used + books.Waiting + bytes - Capacity;
        var evicted = waits.Evicted.Sum(entry => entry.Bytes);
        Require(evicted >= lacking, "too little was evicted");
        Require(waits.Evicted.IsEmpty || evicted - waits.Evicted[^1].Bytes < lacking, "more than needed was evicted");
        Require(waits.Evicted.IsEmpty || idle[waits.Evicted[0]] >= books.ChurnAge, "the churn guard was passed over");
        Require(
            waits.Evicted.IsEmpty || before.Except(waits.Evicted).All(entry => entry.LastUsed >= waits.Evicted[^1].LastUsed),
            "an entry longer unused was left");
    }

    private void Take(CacheDecision decision, List<CacheEntry> before)
    {
        switch (decision)
        {
            case CacheDecision.Granted granted:
                _entries.Add(granted.Entry);
                Require(_cache.Read().Used + _cache.Read().Unloading <= Capacity, "room was given that is not there");
                break;
            case CacheDecision.Waits waits:
                _entries.Add(waits.Entry);
                Require(waits.Evicted.All(before.Contains), "an entry in use was evicted");
                Evictions += waits.Evicted.Length;
                break;
            case CacheDecision.Refused refused:
                Require(refused.Evicted.IsEmpty, "a refusal evicted");
                Require(refused.Reason == CacheRefusal.TooLarge == refused.Bytes > Capacity, "only what is larger than everything is too large");
                break;
            default:
                throw new InvalidOperationException($"{decision} for a new key");
        }
    }

    private CacheChange End(CacheEntry entry)
    {
        _cache.BeginUnload(entry);
        Require(entry.State == CacheEntryState.Unloading && !entry.TryPin(), "a replica that ends takes requests");
        return CacheChange.None;
    }

    private void Follow(CacheChange change)
    {
        Require(change.Granted.IsEmpty || _cache.Read().Used + _cache.Read().Unloading <= Capacity, "room was given that is not there");
        Require(change.Evicted.All(entry => !_pinned.Contains(entry)), "an entry in use was evicted");
        Evictions += change.Evicted.Length;
    }

    private CacheEntry? Pick(CacheEntryState state, int which)
    {
        var candidates = _entries.FindAll(entry => entry.State == state);
        return candidates.Count == 0 ? null : candidates[which % candidates.Count];
    }

    private long Sum(CacheEntryState state) => _entries.Where(entry => entry.State == state).Sum(entry => entry.Bytes);

    private string NextKey() => (++_keys).ToString(CultureInfo.InvariantCulture);

    private static void Require(bool right, string what)
    {
        if (!right)
        {
            throw new InvalidOperationException($"not as promised: {what}");
        }
    }
}
