using System.Text;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>What takes the place of a client's multiplexer that has stopped working.</summary>
public sealed class RedisLinkTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly RedisClusteringOptions Quick = new()
    {
        ConnectTimeout = TimeSpan.FromMilliseconds(300),
        OperationTimeout = TimeSpan.FromMilliseconds(300),
        RenewAfter = TimeSpan.FromSeconds(1),
    };

    [Fact]
    public async Task FirstConnection_NeverComes_AnotherTakesItsPlace()
    {
        var attempts = 0;
        using var connection = Open(() => ++attempts == 1 ? new TaskCompletionSource<ConnectionMultiplexer>().Task : ToAsync(redis.Server));

        await connection.UntilAsync(static reply => reply.IsDone);

        Assert.True(attempts >= 2, $"{attempts}");
    }

    [Fact]
    public async Task Connection_DoesNotComeBack_AnotherTakesItsPlaceWithTheSubscriptions()
    {
        await using var lost = await RedisServer.StartNewAsync();
        var attempts = 0;
        using var connection = Open(() => ToAsync(++attempts < 3 ? lost : redis.Server));
        await connection.UntilAsync(static reply => reply.IsDone);
        var received = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var restored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(await connection.TrySubscribeAsync("channel", content => received.TrySetResult(Encoding.UTF8.GetString(content)), default));
        connection.Restored += () => restored.TrySetResult();

        await lost.StopAsync();
        await connection.UntilAsync(static reply => !reply.IsDone);
        await connection.UntilAsync(static reply => reply.IsDone);
        await restored.Task.Soon();
        await connection.EvaluateAsync("return {redis.call('PUBLISH', 'channel', ARGV[1])}", [], ["news"]);

        Assert.Equal("news", await received.Task.Soon());
        Assert.True(attempts >= 3, $"{attempts}");
    }

    [Fact]
    public async Task Connection_IsLostForAShortTime_ItselfComesBack()
    {
        await using var server = await RedisServer.StartNewAsync();
        var attempts = 0;
        using var connection = Open(
            () =>
            {
                attempts++;
                return ToAsync(server);
            },
            new RedisClusteringOptions { RenewAfter = Wait.Limit });
        await connection.UntilAsync(static reply => reply.IsDone);

        await server.StopAsync();
        await connection.UntilAsync(static reply => reply.Outcome == RedisOutcome.Unreachable);
        await server.StartAsync();
        await connection.UntilAsync(static reply => reply.IsDone);

        Assert.Equal(1, attempts);
    }

    private static Task<ConnectionMultiplexer> ToAsync(RedisServer server) =>
        ConnectionMultiplexer.ConnectAsync(RedisConnection.ToConfiguration(new RedisClusteringOptions { Endpoints = { server.Endpoint } }));

    private RedisConnection Open(Func<Task<ConnectionMultiplexer>> connect, RedisClusteringOptions? options = null) =>
        new(Options.Create(options ?? Quick), TimeProvider.System, redis.NewMetrics(), NullLogger<RedisConnection>.Instance, connect);
}
