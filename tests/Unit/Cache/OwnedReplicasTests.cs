using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Cache;

/// <summary>Which replicas go where their models have several owners; the cache has room for 100 bytes.</summary>
public sealed class OwnedReplicasTests
{
    private static readonly CallerShare One = new(1, 100);
    private static readonly CallerShare Other = new(2, 100);
    private static readonly CallerShare Heavy = new(3, 300);
    private static readonly TimeSpan LoadTime = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly ModelCache _cache;

    public OwnedReplicasTests() => _cache = new ModelCache(new ModelCacheOptions { Capacity = 100 }, _time);

    [Fact]
    public void Owner_AboveItsShare_LosesItsOwnBeforeTheOlderOfAnother()
    {
        Load("older", 20, Other);
        Pause();
        var first = Load("a", 40, One);
        Pause();
        Load("b", 40, One);
        Pause();

        Assert.Equal([first], Evicted("c", 30, One));
    }

    [Fact]
    public void Owner_BelowItsShare_GetsRoomOfTheOneAboveThoughThatUsesAll()
    {
        var first = Load("a", 50, One);
        Load("b", 50, One);
        _time.Advance(LoadTime);

        Assert.Equal([first], Evicted("c", 30, Other));

        // It has taken back what the other had too much; now the guard holds against both.
        Assert.Equal(CacheRefusal.Churn, Assert.IsType<CacheDecision.Refused>(_cache.Reserve("d", 30, Other)).Reason);
        Assert.Equal(CacheRefusal.Churn, Assert.IsType<CacheDecision.Refused>(_cache.Reserve("e", 30, One)).Reason);
    }

    [Fact]
    public void Weight_OfThree_KeepsThreeQuarters()
    {
        Load("a", 40, Heavy);
        Load("b", 35, Heavy);
        Pause();
        var light = Load("c", 25, One);
        Pause();

        Assert.Equal([light], Evicted("d", 5, One));
    }

    [Fact]
    public void Weight_ThatARequestCarries_CountsForAllOfItsOwner()
    {
        var heavy = Load("a", 40, Heavy);
        Load("b", 35, Heavy);
        Pause();
        Load("c", 25, One);
        Pause();

        Assert.False(heavy.IsOutweighed(One) || heavy.IsOutweighed(Heavy));
        Assert.True(heavy.IsOutweighed(Heavy with { Weight = 100 }));
        _cache.Weigh(Heavy with { Weight = 100 });

        Assert.Equal([heavy], Evicted("d", 5, One));

        // And for what it loads later, by a registration with the weight of its day.
        _cache.Release(heavy);
        Assert.Equal(100, Reserve("e", 5, Heavy).Owner.Weight);
    }

    [Fact]
    public void Weight_ThatGatewaysDisagreeOn_IsTakenTenTimesASecondAtMost()
    {
        var entry = Load("a", 40, Heavy);
        _cache.Weigh(Heavy with { Weight = 1 });
        _cache.Weigh(Heavy with { Weight = 2 });
        Assert.Equal(1, entry.Owner.Weight);

        _time.Advance(TimeSpan.FromSeconds(0.1));
        _cache.Weigh(Heavy with { Weight = 2 });
        Assert.Equal(2, entry.Owner.Weight);
    }

    [Fact]
    public void Share_OfReplicasUnusedForLong_KeepsThemNot()
    {
        var forgotten = Load("a", 20, Other);
        _time.Advance(TimeSpan.FromHours(2));
        Load("b", 40, One);
        Load("c", 40, One);
        Pause();

        Assert.Equal([forgotten], Evicted("d", 20, One));
    }

    [Fact]
    public void Owner_AboveItsShareThatUsesAll_TakesWhatIsLeft()
    {
        var other = Load("a", 20, Other);
        Pause();
        var busy = Load("b", 80, One);
        Assert.True(busy.TryPin());
        Pause();

        Assert.Equal([other], Evicted("c", 20, One));
    }

    [Fact]
    public void Models_OfNoClient_AreOneOwner()
    {
        var first = Load("a", 40, default);
        Pause();
        Load("b", 40, default);
        Load("c", 20, One);
        Pause();

        Assert.Equal([first], Evicted("d", 20, One));
    }

    [Fact]
    public void Replica_LargerThanPredicted_HasItsOwnersOthersGo()
    {
        Load("older", 30, Other);
        Pause();
        var own = Load("a", 30, One);
        Pause();
        var overrun = Reserve("b", 40, One);

        Assert.Equal([own], _cache.Loaded(overrun, 60, LoadTime).Evicted.ToArray());
    }

    private CacheEntry[] Evicted(string key, long bytes, CallerShare owner) => [.. Assert.IsType<CacheDecision.Waits>(_cache.Reserve(key, bytes, owner)).Evicted];

    private CacheEntry Reserve(string key, long bytes, CallerShare owner) => Assert.IsType<CacheDecision.Granted>(_cache.Reserve(key, bytes, owner)).Entry;

    private CacheEntry Load(string key, long bytes, CallerShare owner)
    {
        var entry = Reserve(key, bytes, owner);
        Assert.Empty(_cache.Loaded(entry, bytes, LoadTime).Evicted);
        return entry;
    }

    /// <summary>Longer than the guard against loading in and out.</summary>
    private void Pause() => _time.Advance(20 * LoadTime);
}
