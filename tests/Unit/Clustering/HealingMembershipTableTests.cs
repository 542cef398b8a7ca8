using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Clustering;

/// <summary>The membership table with a redis-server that loses it, hangs, ends or refuses to write.</summary>
public sealed class HealingMembershipTableTests : IAsyncLifetime
{
    private const string Cluster = "test";
    private const string Key = $"{Cluster}/members/{Cluster}";
    private readonly List<TableProcess> _processes = [];
    private RedisServer? _server;

    public async ValueTask InitializeAsync() => _server = Requires.HasRedis ? await RedisServer.StartNewAsync() : null;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

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
        await Task.WhenAll(_processes.Select(static process => process.Table.ReadAllAsync())).Soon();
        var after = await ReadByAllAsync(a, b, c);

        Assert.True(after.Version.Version > before.Version.Version);
        Assert.Equal(Statuses(before), Statuses(after));
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

        time.Advance(HealingMembershipTable.LongestMemory + TimeSpan.FromSeconds(1));

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

        await _server!.StopAsync();

        await AssertAwayAsync(a, read);
        await _server.StartAsync();
        await UntilAsync(async () => (await a.Table.ReadAllAsync()).Members.Count == 3);
        Assert.True(await a.WriteAsync(SiloStatus.ShuttingDown));
    }

    [Fact]
    public async Task Operations_RedisHangs_ReadsFailWritesAreNotDoneHeartbeatsAreLeftOut()
    {
        var (a, _, _) = await ThreeAsync(patient: false);
        var read = await a.Table.ReadAllAsync();

        _server!.Suspend();

        await AssertAwayAsync(a, read);
        _server.Resume();
        await UntilAsync(async () => (await a.Table.ReadAllAsync()).Members.Count == 3);
    }

    [Theory]
    [InlineData("maxmemory", "1", "0")]
    [InlineData("min-replicas-to-write", "1", "0")]
    public async Task Operations_RedisRefusesWrites_NothingChangesUntilItTakesThem(string setting, string refuses, string takes)
    {
        var (a, _, _) = await ThreeAsync();
        var before = await a.Table.ReadAllAsync();
        await _server!.SetAsync(setting, refuses);

        Assert.False(await a.WriteAsync(SiloStatus.ShuttingDown));
        await a.Table.UpdateIAmAliveAsync(TableProcess.Entry(a.Silo, SiloStatus.Active));
        Assert.Equal(before.Version.Version, (await a.Table.ReadAllAsync()).Version.Version);

        await _server.SetAsync(setting, takes);
        Assert.True(await a.WriteAsync(SiloStatus.ShuttingDown));
    }

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
        await _server!.StopAsync();
        var process = Create(1, patient: false);

        var start = process.Table.InitializeMembershipTableAsync(true);
        await Assert.ThrowsAsync<TimeoutException>(() => start.WaitAsync(TimeSpan.FromSeconds(2)));
        await _server.StartAsync();
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

    private static List<(SiloAddress, SiloStatus)> Statuses(MembershipTableData data) =>
        [.. data.Members.Select(static row => (row.Item1.SiloAddress, row.Item1.Status)).OrderBy(static row => row.SiloAddress)];

    /// <summary>What all of them read, and that it is the same.</summary>
    private static async Task<MembershipTableData> ReadByAllAsync(params TableProcess[] processes)
    {
        var first = await processes[0].Table.ReadAllAsync();
        foreach (var process in processes)
        {
            var data = await process.Table.ReadAllAsync();
            Assert.Equal(first.Version.Version, data.Version.Version);
            Assert.NotNull(data.TryGet(process.Silo));
        }

        return first;
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

    /// <summary>Moves the clock in the steps in which the code polls, and lets it run in between.</summary>
    private static async Task AdvanceAsync(ManualTimeProvider time, Task until, TimeSpan by)
    {
        for (var step = TimeSpan.FromMilliseconds(100); by > TimeSpan.Zero && !until.IsCompleted; by -= step)
        {
            await Task.WhenAny(until, Task.Delay(50, TestContext.Current.CancellationToken));
            time.Advance(step);
        }
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

    private TableProcess Create(int number, TimeProvider? time = null, bool patient = true)
    {
        Requires.Redis();
        var process = TableProcess.Create(_server!, Cluster, number, time, patient);
        _processes.Add(process);
        return process;
    }

    private async Task<TableProcess> StartAsync(int number, TimeProvider? time = null, bool patient = true)
    {
        // A table without rows: a start that finds none would wait.
        await using var redis = await AdminAsync();
        await redis.GetDatabase().HashSetAsync(Key, "Version", "0", When.NotExists);
        var process = Create(number, time, patient);
        await process.Table.InitializeMembershipTableAsync(false).Soon();
        return process;
    }

    private async Task<(TableProcess A, TableProcess B, TableProcess C)> ThreeAsync(bool patient = true)
    {
        var processes = new[] { await StartAsync(1, patient: patient), await StartAsync(2, patient: patient), await StartAsync(3, patient: patient) };
        foreach (var process in processes)
        {
            Assert.True(await process.WriteAsync(SiloStatus.Joining));
            Assert.True(await process.WriteAsync(SiloStatus.Active));
        }

        await ReadByAllAsync(processes);
        return (processes[0], processes[1], processes[2]);
    }

    private async Task<ConnectionMultiplexer> AdminAsync() => await ConnectionMultiplexer.ConnectAsync($"{_server!.Endpoint},allowAdmin=true");

    private async Task EmptyAsync()
    {
        await using var redis = await AdminAsync();
        await redis.GetServer(_server!.Endpoint).FlushAllDatabasesAsync();
    }

    private async Task<HashEntry[]> DumpAsync()
    {
        await using var redis = await AdminAsync();
        return await redis.GetDatabase().HashGetAllAsync(Key);
    }

    private async Task RestoreAsync(HashEntry[] rows)
    {
        await EmptyAsync();
        await using var redis = await AdminAsync();
        await redis.GetDatabase().HashSetAsync(Key, rows);
    }
}
