using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Cluster.Unit.Runtime.Membership;
using Cluster.Unit.Runtime.Replication;
using Xunit;

namespace Cluster.Unit.Runtime.Storage;

/// <summary>What every grain storage does.</summary>
public sealed class GrainStorageTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly GrainId Grain = GrainId.Create("state", "a/b c{}");

    private IGrainStorage Create(string store) =>
        store == Stores.Redis ? new ReplicatedGrainStorage(redis.OpenMap(redis.Server, redis.NewCluster())) : new MemoryGrainStorage();

    private static async Task<GrainState<CountState>> ReadAsync(IGrainStorage storage, string name = "s")
    {
        var state = new GrainState<CountState>();
        await storage.ReadStateAsync(name, Grain, state);
        return state;
    }

    private static async Task<GrainState<CountState>> WriteAsync(IGrainStorage storage, int value)
    {
        var state = await ReadAsync(storage);
        state.State.Value = value;
        await storage.WriteStateAsync("s", Grain, state);
        return state;
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Read_OfNothing_IsANewState(string store)
    {
        var state = await ReadAsync(Create(store));

        Assert.Equal((0, null, false), (state.State.Value, state.ETag, state.RecordExists));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Write_IsReadBackUnderItsNameOnly(string store)
    {
        var storage = Create(store);
        var written = await WriteAsync(storage, 7);

        var read = await ReadAsync(storage);

        Assert.Equal((7, true), (read.State.Value, read.RecordExists));
        Assert.Equal(written.ETag, read.ETag);
        Assert.NotSame(written.State, read.State);
        Assert.False((await ReadAsync(storage, "other")).RecordExists);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Write_WithAnOldETag_Fails(string store)
    {
        var storage = Create(store);
        var old = await WriteAsync(storage, 1);
        var newer = await WriteAsync(storage, 2);

        var error = await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Grain, new GrainState<CountState>(new(), old.ETag)));

        Assert.Equal((newer.ETag, old.ETag), (error.StoredEtag, error.CurrentEtag));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Grain, new GrainState<CountState>()));
        Assert.Equal(2, (await ReadAsync(storage)).State.Value);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Write_ByManyAtOnce_LetsOneWin(string store)
    {
        var storage = Create(store);
        var first = await WriteAsync(storage, 0);

        var results = await Task.WhenAll(Enumerable.Range(1, 20).Select(async value =>
        {
            var state = new GrainState<CountState>(new CountState { Value = value }, first.ETag);
            try
            {
                await Task.Run(() => storage.WriteStateAsync("s", Grain, state));
                return value;
            }
            catch (InconsistentStateException)
            {
                return 0;
            }
        })).Soon();

        Assert.Equal((await ReadAsync(storage)).State.Value, Assert.Single(results, static value => value != 0));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Clear_RemovesTheRecordAndItsETagNeverComesBack(string store)
    {
        var storage = Create(store);
        var state = await WriteAsync(storage, 1);
        var old = state.ETag;
        await storage.ClearStateAsync("s", Grain, state);
        Assert.Equal((0, null, false), (state.State.Value, state.ETag, state.RecordExists));
        Assert.False((await ReadAsync(storage)).RecordExists);

        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Grain, new GrainState<CountState>(new(), old)));
        await WriteAsync(storage, 1);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("s", Grain, new GrainState<CountState>(new(), old)));
    }

    [Fact]
    public async Task Write_OfAStateThatRedisLost_PutsItBack()
    {
        await using var server = await RedisServer.StartNewAsync();
        var keys = redis.NewCluster();
        var storage = new ReplicatedGrainStorage(redis.OpenMap(server, keys));
        var held = await WriteAsync(storage, 7);
        var heldElsewhere = new GrainState<CountState>(new(), held.ETag);
        await server.StopAsync();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => storage.WriteStateAsync("s", Grain, held));
        await server.StartAsync();

        var again = new ReplicatedGrainStorage(redis.OpenMap(server, keys));
        held.State.Value = 8;
        await again.WriteStateAsync("s", Grain, held);

        Assert.Equal(8, (await ReadAsync(again)).State.Value);
        await Assert.ThrowsAsync<InconsistentStateException>(() => again.WriteStateAsync("s", Grain, heldElsewhere));
    }

    [Fact]
    public async Task Read_AfterRedisLostEverything_FindsStatesThatNobodyHolds()
    {
        await using var server = await RedisServer.StartNewAsync();
        var keys = redis.NewCluster();
        var writer = redis.OpenMap(server, keys);
        var other = redis.OpenMap(server, keys);
        await Task.WhenAll(writer.StartAsync(default), other.StartAsync(default)).Soon();
        await using var stopWriter = new MapStop(writer);
        await using var stopOther = new MapStop(other);
        var arrived = other.UntilAsync(static map => map.Count == 1);
        var written = await WriteAsync(new ReplicatedGrainStorage(writer), 7);
        await arrived;

        await writer.StopAsync(default);
        await server.StopAsync();
        await server.StartAsync();
        await other.RefreshWhenBackAsync("x");

        var read = await ReadAsync(new ReplicatedGrainStorage(other));
        Assert.Equal((7, true), (read.State.Value, read.RecordExists));
        read.State.Value = 8;
        await new ReplicatedGrainStorage(other).WriteStateAsync("s", Grain, read);
        await Assert.ThrowsAsync<InconsistentStateException>(() => new ReplicatedGrainStorage(other).WriteStateAsync("s", Grain, written));
    }
}
