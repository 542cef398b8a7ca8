using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Replication;

/// <summary>A Redis that is killed, moved, demoted, hung or full: what operations answer meanwhile, and that the client comes back by itself.</summary>
[Collection(TimedCollection.Name)]
public sealed class RedisFailoverTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private const string Set = "return {redis.call('SET', KEYS[1], ARGV[1])}";

    /// <summary>An operation's time and the client's heartbeat.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(1.25) + Bounds.Noise;

    [Fact]
    public async Task Connection_IsLostForAShortTime_ItselfComesBack()
    {
        await using var server = await RedisServer.StartNewAsync();
        var connection = redis.Connect(server);
        var restored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Restored += () => restored.TrySetResult();
        var received = await SubscribeAsync(connection);

        await server.StopAsync();
        await connection.UntilAsync(static reply => reply.Outcome == RedisOutcome.Unreachable);
        await server.StartAsync();

        await restored.Task.Soon();
        await PublishUntilReceivedAsync(connection, received);
    }

    [Fact]
    public async Task Subscribe_TriedWhileRedisIsGone_CallsBackOnce()
    {
        await using var server = await RedisServer.StartNewAsync();
        await server.StopAsync();
        var connection = redis.Connect(server);
        var received = new ConcurrentQueue<string>();
        for (var i = 0; i < 3; i++)
        {
            Assert.False(await connection.TrySubscribeAsync("channel", content => received.Enqueue(Encoding.UTF8.GetString(content)), default));
        }

        await server.StartAsync();
        received = await SubscribeAsync(connection);
        await PublishUntilReceivedAsync(connection, received);
        await PublishAsync(connection, "last");
        await UntilAsync(() => received.Contains("last"), "the last message is received");

        Assert.Equal(received.Distinct(), received);
    }

    [Fact]
    public async Task Connection_DoesNotComeBack_AnotherTakesItsPlaceWithTheSubscriptions()
    {
        await using var lost = await RedisServer.StartNewAsync();
        await using var other = await RedisServer.StartNewAsync();
        await other.StopAsync();
        var connection = redis.Connect(lost, options => options.Endpoints += $",{other.Endpoint}");
        var received = await SubscribeAsync(connection);

        await lost.StopAsync();
        await connection.UntilAsync(static reply => !reply.IsDone);
        await other.StartAsync();

        await PublishUntilReceivedAsync(connection, received);
    }

    [Fact]
    public async Task PrimaryDemoted_WritesFailAtOnceThenGoToTheNewOne()
    {
        await using var one = await RedisServer.StartNewAsync();
        await using var two = await RedisServer.StartNewAsync(false, "--replicaof", "127.0.0.1", one.Port.ToString(CultureInfo.InvariantCulture));
        var connection = redis.Connect(one, options => options.Endpoints += $",{two.Endpoint}");
        var received = await SubscribeAsync(connection);
        await WriteUntilAsync(connection, static reply => reply.IsDone);

        await PromoteAsync(two, one);
        await WriteUntilAsync(connection, static reply => !reply.IsDone);
        await WriteUntilAsync(connection, static reply => reply.IsDone);

        using var admin = await AdminAsync(two);
        Assert.Equal("v", await admin.GetDatabase().StringGetAsync("k"));
        await PublishUntilReceivedAsync(connection, received);
    }

    [Fact]
    public async Task PrimaryKilledAndReplicaPromoted_WritesGoToTheNewOne()
    {
        await using var one = await RedisServer.StartNewAsync();
        await using var two = await RedisServer.StartNewAsync(false, "--replicaof", "127.0.0.1", one.Port.ToString(CultureInfo.InvariantCulture));
        var connection = redis.Connect(one, options => options.Endpoints += $",{two.Endpoint}");
        await WriteUntilAsync(connection, static reply => reply.IsDone);

        await one.StopAsync();
        await WriteUntilAsync(connection, static reply => reply.Outcome == RedisOutcome.Unreachable);
        await PromoteAsync(two);

        await WriteUntilAsync(connection, static reply => reply.IsDone);
    }

    /// <summary>Neither a write nor a read: what a replica has may be old.</summary>
    [Fact]
    public async Task OnlyAReplica_OperationsFailAtOnceWithTheCause()
    {
        await using var one = await RedisServer.StartNewAsync();
        await using var two = await RedisServer.StartNewAsync(false, "--replicaof", "127.0.0.1", one.Port.ToString(CultureInfo.InvariantCulture));
        var connection = redis.Connect(two);

        var reply = await WriteUntilAsync(connection, static reply => reply.Error == "no server that takes writes");

        Assert.Equal(RedisOutcome.Unreachable, reply.Outcome);
    }

    [Fact]
    public async Task MemoryFull_WritesAreRefusedAtOnceWithTheCause()
    {
        await using var server = await RedisServer.StartNewAsync();
        var connection = redis.Connect(server);
        await WriteUntilAsync(connection, static reply => reply.IsDone);
        await server.SetAsync("maxmemory", "1");

        var reply = await WriteUntilAsync(connection, static reply => !reply.IsDone);

        Assert.Equal(RedisOutcome.Refused, reply.Outcome);
        Assert.EndsWith("Redis refuses it, its memory is full", reply.ToException("the write").Message, StringComparison.Ordinal);
        Assert.True(connection.IsReachable);
    }

    [Fact]
    public async Task Hung_EveryOperationEndsInTimeAndThenAtOnceUntilItWakes()
    {
        await using var server = await RedisServer.StartNewAsync();
        var connection = redis.Connect(server);
        await connection.UntilAsync(static reply => reply.IsDone);
        server.Suspend();

        // More than sockets hold: what cannot even be sent ends in time too.
        var large = new byte[1 << 20];
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
        {
            var since = Stopwatch.StartNew();
            Assert.False((await connection.EvaluateAsync(Set, ["k"], [large])).IsDone);
            Assert.InRange(since.Elapsed, TimeSpan.Zero, Bound);
        }));
        await WriteUntilAsync(connection, static reply => reply.Outcome == RedisOutcome.Unreachable);
        server.Resume();

        await WriteUntilAsync(connection, static reply => reply.IsDone);
    }

    private static async Task<ConnectionMultiplexer> AdminAsync(RedisServer server) => await ConnectionMultiplexer.ConnectAsync(server.Endpoint + ",allowAdmin=true");

    private static async Task PromoteAsync(RedisServer replica, RedisServer? primary = null)
    {
        using var admin = await AdminAsync(replica);
        await admin.GetServer(replica.Endpoint).ExecuteAsync("REPLICAOF", "NO", "ONE");
        if (primary is not null)
        {
            using var old = await AdminAsync(primary);
            await old.GetServer(primary.Endpoint).ReplicaOfAsync(admin.GetServer(replica.Endpoint).EndPoint);
        }
    }

    /// <summary>Writes until the answer is as expected; none takes longer than it may.</summary>
    private static async Task<RedisReply> WriteUntilAsync(RedisConnection connection, Func<RedisReply, bool> expected)
    {
        var reply = default(RedisReply);
        await UntilAsync(
            async () =>
            {
                var since = Stopwatch.StartNew();
                reply = await connection.EvaluateAsync(Set, ["k"], ["v"]);
                Assert.InRange(since.Elapsed, TimeSpan.Zero, Bound);
                return expected(reply);
            },
            "a write ends as expected");
        return reply;
    }

    private static async Task<ConcurrentQueue<string>> SubscribeAsync(RedisConnection connection)
    {
        var received = new ConcurrentQueue<string>();
        await UntilAsync(
            async () => await connection.TrySubscribeAsync("channel", content => received.Enqueue(Encoding.UTF8.GetString(content)), default), "the channel is subscribed");
        return received;
    }

    private static async Task PublishUntilReceivedAsync(RedisConnection connection, ConcurrentQueue<string> received)
    {
        var count = 0;
        await UntilAsync(
            async () =>
            {
                await PublishAsync(connection, $"{count++}");
                return !received.IsEmpty;
            },
            "a message is received");
    }

    private static async Task PublishAsync(RedisConnection connection, string text) =>
        await connection.EvaluateAsync("return {redis.call('PUBLISH', 'channel', ARGV[1])}", [], [text]);

    private static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var since = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(since.Elapsed < Wait.Limit, $"still waiting until {what}");
            await Task.Yield();
        }
    }
}
