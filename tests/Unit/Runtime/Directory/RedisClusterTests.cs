using System.Diagnostics;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Cluster.Unit.Runtime.Membership;
using Xunit;

namespace Cluster.Unit.Runtime.Directory;

/// <summary>Whole silos on a real Redis that stops, starts and forgets.</summary>
[Collection(TimedCollection.Name)]
public sealed class RedisClusterTests
{
    private readonly FakeNetwork _network = new(TimeProvider.System);

    private static async Task<GrainAddress> ActivateAsync(ClusterSilo silo, string key)
    {
        // The silo's own table first: there is no transport to go elsewhere.
        var id = silo.Get<IPlacedGrain>(key).GetGrainId();
        var address = GrainAddress.NewActivationAddress(silo.Membership.Self, id);
        return (await silo.Directory.Register(address).Soon())!;
    }

    /// <summary>Repeats a lookup until Redis is back and its answer is the expected one.</summary>
    private static async Task LookupUntilAsync(ClusterSilo silo, GrainId grain, Func<GrainAddress?, bool> expected)
    {
        var since = Stopwatch.StartNew();
        while (since.Elapsed < Wait.Limit)
        {
            try
            {
                if (expected(await silo.Directory.Lookup(grain)))
                {
                    return;
                }
            }
            catch (SiloUnavailableException)
            {
                Assert.False(silo.Redis.IsReachable && since.Elapsed > Wait.Limit / 2);
            }

            await Task.Yield();
        }

        Assert.Fail($"the entry of {grain} is not as expected");
    }

    [Fact]
    public async Task Silo_OnRedis_ActivatesGrainsAndKeepsTheirStates()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var silo = await ClusterSilo.StartAsync(Silos.A, redis, _network);
        var grain = silo.Get<IStateGrain>("a");

        await grain.Set(7, write: true).Soon();
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;
        await grain.Deactivate().Soon();
        await ended.Soon();

        Assert.Null(await silo.Directory.Lookup(grain.GetGrainId()).Soon());
        Assert.Equal(7, await grain.Get().Soon());
        Assert.True((await silo.Directory.Lookup(grain.GetGrainId()).Soon())!.LoadEpoch > 0);
    }

    [Fact]
    public async Task RedisStopped_WhatIsActiveServesAndTheRestIsUnavailable()
    {
        await using var redis = await RedisServer.StartNewAsync(keepsData: true);
        await using var silo = await ClusterSilo.StartAsync(Silos.A, redis, _network);
        var grain = silo.Get<IStateGrain>("a");
        await grain.Set(7, write: true).Soon();
        var entry = await silo.Directory.Lookup(grain.GetGrainId()).Soon();
        var version = silo.Membership.View.Version;

        await redis.StopAsync();
        Assert.Equal(7, await grain.Get().Soon());
        await Assert.ThrowsAsync<SiloUnavailableException>(() => silo.Get<IStateGrain>("cold").Get().Soon());
        Assert.False(silo.Redis.IsReachable);
        await redis.StartAsync();

        await LookupUntilAsync(silo, grain.GetGrainId(), found => entry!.Equals(found));
        Assert.Equal(0, await silo.Get<IStateGrain>("cold").Get().Soon());
        Assert.Equal(version, silo.Membership.View.Version);
        Assert.False(silo.Membership.Terminated.IsCompleted);
    }

    [Fact]
    public async Task RedisRestartedEmpty_RowsEntriesAndStatesComeBack()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ClusterSilo.StartAsync(Silos.A, redis, _network);
        var grain = one.Get<IStateGrain>("a");
        await grain.Set(7, write: true).Soon();
        var entry = await one.Directory.Lookup(grain.GetGrainId()).Soon();
        await using var two = await ClusterSilo.StartAsync(Silos.B, redis, _network);
        await one.UntilAsync(static view => view.Entries.Count == 2);
        var before = one.Membership.View;

        await redis.StopAsync();
        await redis.StartAsync();
        foreach (var silo in new[] { one, two })
        {
            await silo.UntilAsync(view => view.Incarnation != before.Incarnation && view.Unsettled.IsEmpty && view.Entries.Count == 2);
            Assert.True(silo.Membership.View.Version > before.Version);
        }

        // Nothing is loaded twice: the other silo learns who has it, with the epoch from before.
        var theirs = await two.Directory.Register(GrainAddress.NewActivationAddress(Silos.B, grain.GetGrainId())).Soon();
        Assert.Equal(entry, theirs);
        await grain.Set(8, write: true).Soon();
        Assert.Equal(8, await grain.Get().Soon());
        Assert.True((await ActivateAsync(two, "new")).LoadEpoch > entry!.LoadEpoch);
    }

    [Fact]
    public async Task RedisRestartedEmpty_TheSmallerEpochGivesWay()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ClusterSilo.StartAsync(Silos.A, redis, _network);
        var grain = one.Get<IStateGrain>("a");
        await grain.Get().Soon();
        var activation = one.Runtime.Catalog.Find(grain.GetGrainId())!;
        var winner = activation.Address with { SiloAddress = Silos.B, ActivationId = ActivationId.NewId(), LoadEpoch = activation.Address.LoadEpoch + 1 };
        await using var two = await ClusterSilo.StartAsync(Silos.B, redis, _network);
        await one.UntilAsync(static view => view.Unsettled.IsEmpty && view.Entries.Count == 2);
        var before = one.Membership.View.Incarnation;
        await redis.StopAsync();
        await redis.StartAsync();
        await one.UntilAsync(view => view.Unsettled.IsEmpty && view.Incarnation != before && view.Entries.Count == 2);
        await two.UntilAsync(view => view.Unsettled.IsEmpty && view.Incarnation != before && view.Entries.Count == 2);

        // As the other silo does that holds it with a larger epoch; then all look again.
        Assert.Empty((await ((RedisGrainDirectory)two.Directory).PutBackAsync([winner], default).Soon())!);
        var unsettled = await two.Membership.UpdateAsync(
            static reading => reading.View with { Version = reading.View.Version + 1, Unsettled = [Silos.A, Silos.B] }, default);

        Assert.Equal(TableUpdate.Written, unsettled);
        await activation.Deactivated.Soon();
        await LookupUntilAsync(one, grain.GetGrainId(), winner.Equals);
    }

    [Fact]
    public async Task SiloKilled_ItsEntriesAreNoneAndAreSwept()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ClusterSilo.StartAsync(Silos.A, redis, _network);
        await using var two = await ClusterSilo.StartAsync(Silos.B, redis, _network);
        var entry = await ActivateAsync(two, "b");
        one.Runtime.Locator.Learn(entry);
        await LookupUntilAsync(one, entry.GrainId, entry.Equals);

        _network.Kill(Silos.B);

        await one.UntilAsync(static view => view.IsDead(Silos.B));
        Assert.Null(await one.Directory.Lookup(entry.GrainId).Soon());
        await two.Membership.Terminated.Soon();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => two.Directory.Register(GrainAddress.NewActivationAddress(Silos.B, entry.GrainId)).Soon());
        Assert.Equal(Silos.A, (await ActivateAsync(one, "b")).SiloAddress);
    }
}
