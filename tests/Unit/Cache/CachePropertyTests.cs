using Cluster.Grains.Cache;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Cache;

public sealed class CachePropertyTests
{
    private static readonly Gen<(int Kind, int Which, int Bytes)> Step =
        from kind in Gen.Choose(0, 11)
        from which in Gen.Choose(0, 50)
        from bytes in Gen.Frequency((8, Gen.Choose(1, 300)), (1, Gen.Choose(0, 1200)))
        select (kind, which, bytes);

    [Fact]
    public void AnySteps_BooksAreRightAndNothingWaitsForEver()
    {
        var evictions = 0;
        Prop.ForAll(Gen.ListOf(Step, 200).ToArbitrary(), steps =>
        {
            var script = new CacheScript();
            foreach (var step in steps)
            {
                script.Play(step);
                script.CheckBooks();
            }

            script.Finish();
            evictions += script.Evictions;
        }).QuickCheckThrowOnFailure();

        Assert.True(evictions > 100, $"only {evictions} evictions: the steps did not fill the cache");
    }

    /// <summary>Uses run without a lock: none may be granted on a replica that was evicted, and no replica evicted that is in use.</summary>
    [Fact]
    public async Task ConcurrentUsesAndLoads_NoCopyIsUnloadedWhileItIsUsed()
    {
        var cache = new ModelCache(new ModelCacheOptions { Capacity = 8, ChurnLoadTimes = 0 }, TimeProvider.System);
        var loaded = new CacheEntry?[16];
        var users = new int[16];
        var uses = 0;
        var evicted = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(() => Drive(new Random(seed)))));

        Assert.True(uses > 1000 && evicted > 100, $"{uses} uses, {evicted} evictions");
        var now = cache.Read();
        Assert.Equal((loaded.Count(entry => entry is not null), 0L, 0L), ((int)now.Used, now.Unloading, now.Waiting));

        void Drive(Random random)
        {
            for (var turn = 0; turn < 20_000; turn++)
            {
                var slot = random.Next(16);
                if (Volatile.Read(ref loaded[slot]) is { } entry)
                {
                    Use(slot, entry);
                }
                else
                {
                    TryLoad(slot);
                }
            }
        }

        void Use(int slot, CacheEntry entry)
        {
            if (entry.TryPin())
            {
                Interlocked.Increment(ref users[slot]);
                Assert.NotEqual(CacheEntryState.Gone, entry.State);
                Interlocked.Increment(ref uses);
                Interlocked.Decrement(ref users[slot]);
                entry.Unpin();
            }
        }

        void TryLoad(int slot)
        {
            var key = slot.ToString(System.Globalization.CultureInfo.InvariantCulture);
            switch (cache.Reserve(key, 1))
            {
                case CacheDecision.Granted granted:
                    Finish(slot, granted.Entry);
                    break;
                case CacheDecision.Waits waits:
                    Unload(waits.Evicted);
                    break;
                case CacheDecision.Refused refused:
                    Unload(refused.Evicted);
                    break;
            }
        }

        void Finish(int slot, CacheEntry entry)
        {
            // Before it is resident, and so before it can be evicted.
            Volatile.Write(ref loaded[slot], entry);
            Unload(cache.Loaded(entry, 1, TimeSpan.Zero).Evicted);
        }

        void Unload(IEnumerable<CacheEntry> entries)
        {
            foreach (var entry in entries)
            {
                var slot = int.Parse(entry.Key, System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal(0, Volatile.Read(ref users[slot]));
                Volatile.Write(ref loaded[slot], null);
                Interlocked.Increment(ref evicted);
                foreach (var granted in cache.Release(entry).Granted)
                {
                    Finish(int.Parse(granted.Key, System.Globalization.CultureInfo.InvariantCulture), granted);
                }
            }
        }
    }
}
