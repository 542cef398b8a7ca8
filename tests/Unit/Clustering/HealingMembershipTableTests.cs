using System.Net;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Clustering;

/// <summary>The membership table with a redis-server that loses it, hangs, ends or refuses to write.</summary>
public sealed class HealingMembershipTableTests : MembershipTableTestBase
{
    [Fact]
    public async Task Read_RedisEmptied_GivesBackEveryRowAndAVersionPastTheOld()
    {
        var (a, b, c) = await ThreeAsync();
        await b.WriteAsync(SiloStatus.Dead, c.Silo);
        var before = await a.Table.ReadAllAsync();

        await EmptyAsync();
        var after = await a.Table.ReadAllAsync();

        Assert.True(after.Version.Version > before.Version.Version, $"{after.Version} is not past {before.Version}");
        Assert.Equal(Statuses(before), Statuses(after));
        var row = after.TryGet(b.Silo)!.Item1;
        Assert.Equal(("host", "silo 1002", "role", 7), (row.HostName, row.SiloName, row.RoleName, row.ProxyPort));
    }

    [Fact]
    public async Task Read_ThreeProcessesHealAtOnce_EveryRowIsThereAndEachSeesItself()
    {
        var (a, b, c) = await ThreeAsync();
        var before = await ReadByAllAsync(a, b, c);

        await EmptyAsync();
        await Task.WhenAll(new[] { a, b, c }.Select(static process => process.Table.ReadAllAsync())).Soon();
        var after = await ReadByAllAsync(a, b, c);

        Assert.True(after.Version.Version > before.Version.Version);
        Assert.Equal(Statuses(before), Statuses(after));
    }

    /// <summary>A silo that was cut off suspects all others; as its own successor it would be a second voice.</summary>
    [Fact]
    public async Task Read_VotersDied_LeavesTheirVotesOut()
    {
        var (a, b, c) = await ThreeAsync();
        var gone = SiloAddress.New(IPAddress.Loopback, 1009, 1);
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var (row, etag) = (await a.Table.ReadAllAsync()).TryGet(a.Silo)!;
        row.SuspectTimes = [Tuple.Create(b.Silo, now), Tuple.Create(c.Silo, now), Tuple.Create(gone, now)];
        Assert.True(await b.Table.UpdateRowAsync(row, etag, (await b.Table.ReadAllAsync()).Version.Next()));
        Assert.Equal([b.Silo, c.Silo], await VotersAsync());

        await b.WriteAsync(SiloStatus.Dead, c.Silo);

        Assert.Equal([b.Silo], await VotersAsync());

        async Task<IEnumerable<SiloAddress>> VotersAsync() => (await b.Table.ReadAllAsync()).TryGet(a.Silo)!.Item1.SuspectTimes!.Select(static vote => vote.Item1);
    }

    [Fact]
    public async Task Heartbeat_RedisEmptied_GivesBackTheTable()
    {
        var (a, b, c) = await ThreeAsync();
        var before = await ReadByAllAsync(a, b, c);

        await EmptyAsync();
        await a.Table.UpdateIAmAliveAsync(TableProcess.Entry(a.Silo, SiloStatus.Active));

        Assert.Equal(Statuses(before), Statuses(await b.Table.ReadAllAsync()));
    }

    [Fact]
    public async Task Read_AnotherWroteBackOnlyItself_AddsTheOwnRow()
    {
        var (a, b, _) = await ThreeAsync();
        var before = await a.Table.ReadAllAsync();

        await EmptyAsync();
        var fresh = await StartAsync(4);
        for (var i = 0; i <= before.Version.Version; i++)
        {
            await fresh.WriteAsync(SiloStatus.Active);
        }

        Assert.Null((await fresh.Table.ReadAllAsync()).TryGet(a.Silo));
        Assert.Equal(SiloStatus.Active, (await a.Table.ReadAllAsync()).TryGet(a.Silo)!.Item1.Status);
        Assert.NotNull((await fresh.Table.ReadAllAsync()).TryGet(b.Silo));
    }

    [Fact]
    public async Task Read_ANewcomerBeganANewTable_BothAreOne()
    {
        var (a, b, c) = await ThreeAsync();
        var before = await a.Table.ReadAllAsync();

        await EmptyAsync();
        var fresh = await StartAsync(4);
        await fresh.WriteAsync(SiloStatus.Active);
        var after = await b.Table.ReadAllAsync();

        Assert.True(after.Version.Version > before.Version.Version);
        Assert.Equal([a.Silo, b.Silo, c.Silo, fresh.Silo], after.Members.Select(static row => row.Item1.SiloAddress).Order());
    }

    [Fact]
    public async Task Read_GossipToldADeath_TheRowThatIsGivenBackIsDead()
    {
        var (a, b, c) = await ThreeAsync();
        var version = (await ReadByAllAsync(a, b, c)).Version.Version;
        a.Membership.Set(version + 1, (a.Silo, SiloStatus.Active), (b.Silo, SiloStatus.Active), (c.Silo, SiloStatus.Dead));

        await EmptyAsync();
        await b.Table.ReadAllAsync();
        var after = await a.Table.ReadAllAsync();

        Assert.Equal(SiloStatus.Dead, after.TryGet(c.Silo)!.Item1.Status);
        Assert.True(after.Version.Version > version);
    }

    /// <summary>A Redis that was restored from a copy of yesterday.</summary>
    [Fact]
    public async Task Read_AnOlderTable_DeathsAreNotUndone()
    {
        var (a, b, c) = await ThreeAsync();
        var old = await DumpAsync();
        await a.WriteAsync(SiloStatus.Dead, c.Silo);
        var before = await ReadByAllAsync(a, b);

        await RestoreAsync(old);
        var after = await b.Table.ReadAllAsync();

        Assert.Equal(SiloStatus.Dead, after.TryGet(c.Silo)!.Item1.Status);
        Assert.True(after.Version.Version > before.Version.Version);
    }

    [Fact]
    public async Task Read_DeadRowCleaned_ItIsNotGivenBack()
    {
        var (a, b, c) = await ThreeAsync();
        await a.WriteAsync(SiloStatus.Dead, c.Silo);
        await ReadByAllAsync(a, b);

        await b.Table.CleanupDefunctSiloEntriesAsync(DateTimeOffset.MaxValue);

        Assert.Equal([a.Silo, b.Silo], (await a.Table.ReadAllAsync()).Members.Select(static row => row.Item1.SiloAddress).Order());
    }

    [Fact]
    public async Task Read_OwnRowCleanedDuringALongSuspension_TheDeathStands()
    {
        var time = new ManualTimeProvider();
        var (a, _, _) = await ThreeAsync();
        var suspended = await StartAsync(4, time);
        await suspended.WriteAsync(SiloStatus.Active);
        await suspended.Table.ReadAllAsync();
        await a.WriteAsync(SiloStatus.Dead, suspended.Silo);
        await a.Table.CleanupDefunctSiloEntriesAsync(DateTimeOffset.MaxValue);

        time.Advance(MembershipMemory.Longest + TimeSpan.FromSeconds(1));

        Assert.Null((await suspended.Table.ReadAllAsync()).TryGet(suspended.Silo));
        Assert.Null((await a.Table.ReadAllAsync()).TryGet(suspended.Silo));
    }

    [Fact]
    public async Task Write_AnotherRowChangedMeanwhile_IsWrittenAtTheNextVersion()
    {
        var (a, b, c) = await ThreeAsync();
        var read = await a.Table.ReadAllAsync();
        await b.WriteAsync(SiloStatus.ShuttingDown);

        var (row, etag) = read.TryGet(c.Silo)!;
        row.Status = SiloStatus.Dead;
        Assert.True(await a.Table.UpdateRowAsync(row, etag, read.Version.Next()));

        var after = await a.Table.ReadAllAsync();
        Assert.Equal(read.Version.Version + 2, after.Version.Version);
        Assert.Equal(SiloStatus.ShuttingDown, after.TryGet(b.Silo)!.Item1.Status);
    }

    [Fact]
    public async Task Write_TheRowItselfChangedMeanwhile_IsRefused()
    {
        var (a, b, c) = await ThreeAsync();
        var read = await a.Table.ReadAllAsync();
        await b.WriteAsync(SiloStatus.Dead, c.Silo);

        var (row, etag) = read.TryGet(c.Silo)!;
        var vote = TableProcess.Entry(c.Silo, row.Status);
        vote.AddSuspector(a.Silo, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.False(await a.Table.UpdateRowAsync(vote, etag, read.Version.Next()));
        Assert.Equal(SiloStatus.Dead, (await a.Table.ReadAllAsync()).TryGet(c.Silo)!.Item1.Status);
    }

    [Fact]
    public async Task Operations_RedisKilled_ReadsFailWritesAreNotDoneHeartbeatsAreLeftOut()
    {
        var (a, _, _) = await ThreeAsync(patient: false);
        var read = await a.Table.ReadAllAsync();

        await Server.StopAsync();

        await AssertAwayAsync(a, read);
        await Server.StartAsync();
        await UntilAsync(async () => (await a.Table.ReadAllAsync()).Members.Count == 3);
        Assert.True(await a.WriteAsync(SiloStatus.ShuttingDown));
    }

    [Fact]
    public async Task Operations_RedisHangs_ReadsFailWritesAreNotDoneHeartbeatsAreLeftOut()
    {
        var (a, _, _) = await ThreeAsync(patient: false);
        var read = await a.Table.ReadAllAsync();

        Server.Suspend();

        await AssertAwayAsync(a, read);
        Server.Resume();
        await UntilAsync(async () => (await a.Table.ReadAllAsync()).Members.Count == 3);
    }

    [Theory]
    [InlineData("maxmemory", "1", "0")]
    [InlineData("min-replicas-to-write", "1", "0")]
    public async Task Operations_RedisRefusesWrites_NothingChangesUntilItTakesThem(string setting, string refuses, string takes)
    {
        var (a, _, _) = await ThreeAsync();
        var before = await a.Table.ReadAllAsync();
        await Server.SetAsync(setting, refuses);

        Assert.False(await a.WriteAsync(SiloStatus.ShuttingDown));
        await a.Table.UpdateIAmAliveAsync(TableProcess.Entry(a.Silo, SiloStatus.Active));
        Assert.Equal(before.Version.Version, (await a.Table.ReadAllAsync()).Version.Version);

        await Server.SetAsync(setting, takes);
        Assert.True(await a.WriteAsync(SiloStatus.ShuttingDown));
    }

    private static async Task AssertAwayAsync(TableProcess process, MembershipTableData read)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => process.Table.ReadAllAsync());
        Assert.True(failure is RedisException or TimeoutException, $"{failure}");
        var (row, etag) = read.TryGet(process.Silo)!;
        row.Status = SiloStatus.ShuttingDown;
        Assert.False(await process.Table.UpdateRowAsync(row, etag, read.Version.Next()));
        await process.Table.UpdateIAmAliveAsync(row);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException && !limit.IsCancellationRequested)
            {
                await Task.Delay(50, limit.Token);
            }
        }
    }
}
