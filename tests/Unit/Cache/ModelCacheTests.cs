using Cluster.Grains.Cache;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Cache;

public sealed class ModelCacheTests
{
    private static readonly TimeSpan LoadTime = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly ModelCache _cache;

    public ModelCacheTests() => _cache = new ModelCache(new ModelCacheOptions { Capacity = 100 }, _time);

    [Fact]
    public void Reserve_Room_IsTakenBeforeTheLoad()
    {
        Reserve("a", 60);

        Assert.Equal(60, _cache.Read().Used);
        Assert.Equal(CacheRefusal.Busy, Refused("b", 41).Reason);
    }

    [Fact]
    public void Reserve_Full_EvictsTheLongestUnusedAndWaitsForItsUnload()
    {
        var (a, b) = (Load("a", 50), Load("b", 50));
        Pause();
        Assert.True(a.TryPin());
        a.Unpin();
        Pause();

        var waits = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("c", 30));

        Assert.Equal([b], waits.Evicted.ToArray());
        Assert.Equal((50, 50, 30), (_cache.Read().Used, _cache.Read().Unloading, _cache.Read().Waiting));
        Assert.Equal([waits.Entry], _cache.Release(b).Granted.ToArray());
        Assert.Equal((80, 0, 0), (_cache.Read().Used, _cache.Read().Unloading, _cache.Read().Waiting));
    }

    [Fact]
    public void Reserve_FreeRoomOnly_IsRefusedWhereOthersWouldHaveToGo()
    {
        Load("a", 60);

        var refused = Assert.IsType<CacheDecision.Refused>(_cache.Reserve("b", 41, freeRoomOnly: true));

        Assert.Equal((CacheRefusal.Full, true), (refused.Reason, refused.Evicted.IsEmpty));
        Assert.IsType<CacheDecision.Granted>(_cache.Reserve("c", 40, freeRoomOnly: true));
    }

    [Fact]
    public void Reserve_UnloadUnderWayMakesTheRoom_EvictsNoOther()
    {
        _ = Load("a", 50);
        _ = Load("b", 50);
        Pause();
        var first = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("c", 20));

        var second = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("d", 30));

        Assert.Single(first.Evicted);
        Assert.Empty(second.Evicted);
        Assert.Equal([first.Entry, second.Entry], _cache.Release(first.Evicted[0]).Granted.ToArray());
    }

    [Fact]
    public void Reserve_LargerThanTheCapacity_IsRefusedAndEvictsNone()
    {
        var a = Load("a", 100);
        Pause();

        var refused = Refused("b", 101);

        Assert.Equal((CacheRefusal.TooLarge, null), (refused.Reason, refused.RetryAfter));
        Assert.Equal(CacheEntryState.Resident, a.State);
    }

    [Fact]
    public void Reserve_OldestYoungerThanTenLoadTimes_IsRefusedWithTheTimeLeft()
    {
        _ = Load("a", 100);
        _time.Advance(TimeSpan.FromSeconds(4));

        var refused = Refused("b", 10);

        Assert.Equal((CacheRefusal.Churn, TimeSpan.FromSeconds(6)), (refused.Reason, refused.RetryAfter));
        _time.Advance(TimeSpan.FromSeconds(6));
        _ = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("b", 10));
    }

    [Fact]
    public void Reserve_Pinned_IsNotEvicted()
    {
        var a = Load("a", 100);
        Assert.True(a.TryPin());
        Pause();

        Assert.Equal(CacheRefusal.Busy, Refused("b", 10).Reason);

        a.Unpin();
        Pause();
        _ = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("b", 10));
        Assert.False(a.TryPin());
    }

    [Fact]
    public void Loaded_LargerThanPredicted_EvictsOthersAndPaysTheDeficitBackBeforeTheNextLoad()
    {
        var a = Load("a", 50);
        var b = Reserve("b", 50);

        var change = _cache.Loaded(b, 70, LoadTime);

        Assert.Equal([a], change.Evicted.ToArray());
        Assert.Equal(20, _cache.Read().Deficit);
        Pause();
        var waits = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("c", 30));
        Assert.Empty(waits.Evicted);
        Assert.Equal([waits.Entry], _cache.Release(a).Granted.ToArray());
        Assert.Equal((0, 100), (_cache.Read().Deficit, _cache.Read().Used));
    }

    [Fact]
    public void Resized_CopyWhoseRunsTakeMore_EvictsOthersAndStaysItself()
    {
        var (a, b) = (Load("a", 50), Load("b", 40));
        Pause();

        // The longest unused, and yet the one that runs.
        var change = _cache.Resized(a, 80);

        Assert.Equal([b], change.Evicted.ToArray());
        Assert.Equal((80, 40), (_cache.Read().Used, _cache.Read().Unloading));
        _ = _cache.Resized(a, 30);
        Assert.Equal(30, _cache.Read().Used);
        _ = _cache.Release(a);
        Assert.Empty(_cache.Resized(a, 60).Evicted);
        Assert.Equal(0, _cache.Read().Used);
    }

    [Fact]
    public void Loaded_OverrunTakesTheRoomOfOneThatWaits_TheLastToComeIsRefused()
    {
        var a = Load("a", 40);
        Pause();
        var b = Reserve("b", 60);
        var waits = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("c", 40));

        var change = _cache.Loaded(b, 70, LoadTime);

        Assert.Equal([waits.Entry], change.Refused.ToArray());
        Assert.Empty(_cache.Release(a).Granted);
        Assert.Equal((70, 0), (_cache.Read().Used, _cache.Read().Waiting));
    }

    [Fact]
    public void Release_LoadThatFailed_GivesItsRoomToTheNext()
    {
        var a = Load("a", 50);
        var b = Reserve("b", 50);
        Pause();
        var waits = Assert.IsType<CacheDecision.Waits>(_cache.Reserve("c", 50));
        Assert.Equal([a], waits.Evicted.ToArray());

        Assert.Equal([waits.Entry], _cache.Release(b).Granted.ToArray());
    }

    [Fact]
    public void Claim_NoRoom_EvictsNone()
    {
        var a = Load("a", 60);
        Pause();

        Assert.Equal(CacheRefusal.Full, Assert.IsType<CacheDecision.Refused>(_cache.Claim("b", 41)).Reason);
        Assert.Equal(CacheEntryState.Resident, a.State);
    }

    [Fact]
    public void Claim_TakenOver_CountsOnceAndGivesWayToWhatIsUsed()
    {
        var claim = Assert.IsType<CacheDecision.Granted>(_cache.Claim("a", 50)).Entry;
        Assert.Same(claim, Reserve("a", 50));
        Assert.Empty(_cache.ReleaseClaim(claim).Granted);
        _ = _cache.Loaded(claim, 50, LoadTime);
        _ = Load("b", 50);

        // Without a pause: no request asked for it, so that it is old from the start.
        Assert.Equal([claim], Assert.IsType<CacheDecision.Waits>(_cache.Reserve("c", 50)).Evicted.ToArray());
    }

    [Fact]
    public void ReleaseClaim_NotTakenOver_FreesTheRoom()
    {
        var claim = Assert.IsType<CacheDecision.Granted>(_cache.Claim("a", 50)).Entry;

        _ = _cache.ReleaseClaim(claim);

        Assert.Equal(0, _cache.Read().Used);
        _ = Reserve("a", 100);
    }

    private CacheEntry Reserve(string key, long bytes) => Assert.IsType<CacheDecision.Granted>(_cache.Reserve(key, bytes)).Entry;

    private CacheDecision.Refused Refused(string key, long bytes) => Assert.IsType<CacheDecision.Refused>(_cache.Reserve(key, bytes));

    private CacheEntry Load(string key, long bytes)
    {
        var entry = Reserve(key, bytes);
        Assert.Empty(_cache.Loaded(entry, bytes, LoadTime).Evicted);
        return entry;
    }

    /// <summary>As long as the churn guard asks for.</summary>
    private void Pause() => _time.Advance(_cache.Read().ChurnAge);
}
