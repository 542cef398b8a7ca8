using Cluster.Tests.Common;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Clustering;

/// <summary>Processes that share a membership table in a redis-server of their own.</summary>
public abstract class MembershipTableTestBase : IAsyncLifetime
{
    internal const string Cluster = "test";
    internal const string Key = $"{Cluster}/members/{Cluster}";
    private readonly List<TableProcess> _processes = [];
    private RedisServer? _server;

    internal RedisServer Server => _server!;

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

        GC.SuppressFinalize(this);
    }

    internal static List<(SiloAddress, SiloStatus)> Statuses(MembershipTableData data) =>
        [.. data.Members.Select(static row => (row.Item1.SiloAddress, row.Item1.Status)).OrderBy(static row => row.SiloAddress)];

    /// <summary>What all of them read, and that it is the same.</summary>
    internal static async Task<MembershipTableData> ReadByAllAsync(params TableProcess[] processes)
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

    internal TableProcess Create(int number, TimeProvider? time = null, bool patient = true)
    {
        Requires.Redis();
        var process = TableProcess.Create(_server!, Cluster, number, time, patient);
        _processes.Add(process);
        return process;
    }

    internal async Task<TableProcess> StartAsync(int number, TimeProvider? time = null, bool patient = true)
    {
        // A table without rows: a start that finds none would wait.
        await using var redis = await AdminAsync();
        await redis.GetDatabase().HashSetAsync(Key, "Version", "0", When.NotExists);
        var process = Create(number, time, patient);
        await process.Table.InitializeMembershipTableAsync(false).Soon();
        return process;
    }

    internal async Task<(TableProcess A, TableProcess B, TableProcess C)> ThreeAsync(bool patient = true)
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

    internal async Task<ConnectionMultiplexer> AdminAsync() => await ConnectionMultiplexer.ConnectAsync($"{_server!.Endpoint},allowAdmin=true");

    internal async Task EmptyAsync()
    {
        await using var redis = await AdminAsync();
        await redis.GetServer(_server!.Endpoint).FlushAllDatabasesAsync();
    }

    internal async Task<HashEntry[]> DumpAsync()
    {
        await using var redis = await AdminAsync();
        return await redis.GetDatabase().HashGetAllAsync(Key);
    }

    internal async Task RestoreAsync(HashEntry[] rows)
    {
        await EmptyAsync();
        await using var redis = await AdminAsync();
        await redis.GetDatabase().HashSetAsync(Key, rows);
    }
}
