using System.Diagnostics;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Replication;

public sealed class RedisConnectionTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task Evaluate_AnswersAndIsReachable()
    {
        var connection = redis.Connect();

        var reply = await connection.EchoAsync("hello");

        Assert.Equal(RedisOutcome.Done, reply.Outcome);
        Assert.Equal("hello", reply.Values[0]);
        Assert.True(connection.IsReachable);
    }

    [Fact]
    public async Task Evaluate_WhatRedisRefuses_SaysSoAndStaysReachable()
    {
        var connection = redis.Connect();

        var reply = await connection.EvaluateAsync("return redis.call('NOSUCHCOMMAND')", [], []);

        Assert.Equal(RedisOutcome.Refused, reply.Outcome);
        Assert.True(connection.IsReachable);
    }

    [Fact]
    public async Task Evaluate_WithoutAServer_IsUnreachableAtOnce()
    {
        await using var server = await RedisServer.StartNewAsync();
        await server.StopAsync();
        var connection = redis.Connect(server);

        Assert.Equal(RedisOutcome.Unreachable, (await connection.EchoAsync()).Outcome);
        Assert.False(connection.IsReachable);

        await server.StartAsync();
        await connection.UntilAsync(static reply => reply.IsDone);
        Assert.True(connection.IsReachable);
    }

    [Fact]
    public async Task Evaluate_AfterAStopAndAnEmptyStart_GoesOn()
    {
        await using var server = await RedisServer.StartNewAsync();
        var connection = redis.Connect(server);
        await connection.UntilAsync(static reply => reply.IsDone);
        await server.StopAsync();
        await connection.UntilAsync(static reply => reply.Outcome == RedisOutcome.Unreachable);
        Assert.False(connection.IsReachable);

        // The new server does not know the scripts of the one before.
        await server.StartAsync();
        await connection.UntilAsync(static reply => reply.IsDone);

        Assert.True(connection.IsReachable);
    }

    [Fact]
    public async Task Evaluate_AfterScriptsWereFlushed_GoesOn()
    {
        var connection = redis.Connect();
        await connection.EchoAsync();
        using var other = await ConnectionMultiplexer.ConnectAsync(redis.Server.Endpoint + ",allowAdmin=true");
        await other.GetServer(redis.Server.Endpoint).ScriptFlushAsync();

        Assert.True((await connection.EchoAsync()).IsDone);
    }

    [Fact]
    public async Task Evaluate_OnASuspendedServer_EndsInTime()
    {
        await using var server = await RedisServer.StartNewAsync();
        var connection = redis.Connect(server, static options => options.OperationTimeout = TimeSpan.FromMilliseconds(300));
        await connection.UntilAsync(static reply => reply.IsDone);
        server.Suspend();

        var since = Stopwatch.StartNew();
        var reply = await connection.EchoAsync();
        server.Resume();

        Assert.Equal(RedisOutcome.Unknown, reply.Outcome);
        Assert.InRange(since.Elapsed, TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1) + Bounds.Noise);
        await connection.UntilAsync(static answer => answer.IsDone);
    }

    [Fact]
    public async Task Evaluate_OnAServerThatHungAtTheFirstConnection_GoesOnWithoutDelay()
    {
        await using var server = await RedisServer.StartNewAsync();
        server.Suspend();
        var connection = redis.Connect(server, static options => options.ConnectTimeout = options.OperationTimeout = TimeSpan.FromMilliseconds(300));
        await connection.UntilAsync(static reply => reply.Outcome == RedisOutcome.Unreachable && reply.Error == "no connection");
        server.Resume();

        var since = Stopwatch.StartNew();
        await connection.UntilAsync(static reply => reply.IsDone);
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5) + Bounds.Noise);
    }
}
