using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Clustering;

/// <summary>Silos that find the membership table empty, away, or in use by others that join.</summary>
public sealed class MembershipJoinTests : MembershipTableTestBase
{
    [Fact]
    public async Task Start_EmptyTable_WaitsTwoSecondsBeforeItBegins()
    {
        var time = new ManualTimeProvider();
        var process = Create(1, time);

        var start = process.Table.InitializeMembershipTableAsync(true);
        await AdvanceAsync(time, start, HealingMembershipTable.EmptyWait - TimeSpan.FromMilliseconds(200));
        Assert.False(start.IsCompleted);
        await AdvanceAsync(time, start, TimeSpan.FromSeconds(1));
        await start.Soon();

        Assert.Empty((await process.Table.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task Start_EmptyTableThatSurvivorsGiveBack_JoinsThem()
    {
        var (a, b, c) = await ThreeAsync();
        var before = await ReadByAllAsync(a, b, c);
        await EmptyAsync();
        var time = new ManualTimeProvider();
        var process = Create(4, time);

        var start = process.Table.InitializeMembershipTableAsync(true);
        await AdvanceAsync(time, start, TimeSpan.FromMilliseconds(500));
        await a.Table.ReadAllAsync();
        await AdvanceAsync(time, start, TimeSpan.FromMilliseconds(500));
        await start.Soon();

        Assert.Equal(Statuses(before), Statuses(await process.Table.ReadAllAsync()));
    }

    [Fact]
    public async Task Start_RedisAway_WaitsForIt()
    {
        Requires.Redis();
        await Server.StopAsync();
        var process = Create(1, patient: false);

        var start = process.Table.InitializeMembershipTableAsync(true);
        await Assert.ThrowsAsync<TimeoutException>(() => start.WaitAsync(TimeSpan.FromSeconds(2)));
        await Server.StartAsync();
        await start.Soon();

        Assert.Empty((await process.Table.ReadAllAsync()).Members);
    }

    /// <summary>Two that read the same and write: one would have to wait for seconds.</summary>
    [Fact]
    public async Task Read_TwoSilosJoin_OneAfterTheOtherReadsAndWrites()
    {
        await (await StartAsync(1)).WriteAsync(SiloStatus.Active);
        var a = Create(2);
        var b = Create(3);
        await Task.WhenAll(a.Table.InitializeMembershipTableAsync(true), b.Table.InitializeMembershipTableAsync(true)).Soon();

        var first = await a.Table.ReadAllAsync();
        var second = b.Table.ReadAllAsync();
        Assert.True(await a.Table.InsertRowAsync(TableProcess.Entry(a.Silo, SiloStatus.Joining), first.Version.Next()));

        Assert.NotNull((await second.Soon()).TryGet(a.Silo));
        Assert.True(await b.Table.InsertRowAsync(TableProcess.Entry(b.Silo, SiloStatus.Joining), (await second).Version.Next()));
    }

    /// <summary>Moves the clock in the steps in which the code polls, and lets it run in between.</summary>
    private static async Task AdvanceAsync(ManualTimeProvider time, Task until, TimeSpan by)
    {
        for (var step = TimeSpan.FromMilliseconds(100); by > TimeSpan.Zero && !until.IsCompleted; by -= step)
        {
            await Task.WhenAny(until, Task.Delay(50, TestContext.Current.CancellationToken));
            time.Advance(step);
        }
    }
}
