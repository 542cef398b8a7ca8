using System.Diagnostics;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Replication;

/// <summary>Replicas on a Redis that stops, and returns with its data, without, or with older.</summary>
[Collection(TimedCollection.Name)]
public sealed class RedisLossTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    /// <summary>A newcomer, which knows only what Redis has.</summary>
    private async Task<SortedDictionary<string, string?>> StoredAsync(RedisServer server, RedisKeys keys)
    {
        await using var newcomer = await ReplicaGroup.StartAsync(redis, server, 1, null, keys);
        return new(newcomer[0].All.ToDictionary(static entry => entry.Key, entry => newcomer[0].Text(entry.Key)), StringComparer.Ordinal);
    }

    private async Task StoredUntilAsync(RedisServer server, RedisKeys keys, string expected)
    {
        var since = Stopwatch.StartNew();
        var stored = "";
        while (since.Elapsed < Wait.Limit)
        {
            stored = string.Join(' ', (await StoredAsync(server, keys)).Select(static pair => $"{pair.Key}={pair.Value}"));
            if (stored == expected)
            {
                return;
            }
        }

        Assert.Equal(expected, stored);
    }

    [Fact]
    public async Task RedisGone_ReadsGoOnPublishesWaitAndStrongOperationsFail()
    {
        await using var server = await RedisServer.StartNewAsync(keepsData: true);
        await using var group = await ReplicaGroup.StartAsync(redis, server, 2);
        group[0].Publish("k", "1");
        await group.ConvergedAsync();
        await server.StopAsync();

        Assert.Equal("1", group[1].Text("k"));
        await Assert.ThrowsAsync<SiloUnavailableException>(async () => await group[1].RefreshAsync("k"));
        await Assert.ThrowsAsync<SiloUnavailableException>(async () => await group[1].WriteAsync("w", default, [1]));
        group[0].Publish("k", "2");
        group[0].Publish("k", "3");
        Assert.Equal(1, group[0].Pending);
        Assert.Equal(("3", "1"), (group[0].Text("k"), group[1].Text("k")));
        var arrived = group[1].UntilTextAsync("k", "3");
        await server.StartAsync();

        var since = Stopwatch.StartNew();
        await arrived;
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5) + Bounds.Noise);
    }

    [Fact]
    public async Task RedisRestartedEmpty_EachProcessPutsBackWhatItHas()
    {
        await using var server = await RedisServer.StartNewAsync();
        await using var group = await ReplicaGroup.StartAsync(redis, server, 3);
        for (var i = 0; i < 2000; i++)
        {
            group[i % 3].Publish($"k{i}", "v");
        }

        await group.ConvergedAsync();
        await server.StopAsync();
        group[2].Publish("k0", "while away");
        group[1].Publish("k1", null);
        await server.StartAsync();
        var since = Stopwatch.StartNew();
        var arrived = group[0].UntilAsync(static map => map.Text("k0") == "while away" && map.Text("k1") is null);
        await arrived;

        // The replicas agree before Redis has everything again.
        var stored = await StoredAsync(server, group.Keys);
        while (stored.Count < 1999 && since.Elapsed < Wait.Limit)
        {
            stored = await StoredAsync(server, group.Keys);
        }

        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5) + Bounds.Noise);
        Assert.Equal((1999, "while away", false), (stored.Count, stored["k0"], stored.ContainsKey("k1")));
        await group.ConvergedAsync();
    }

    [Fact]
    public async Task RedisRestartedEmpty_WhatOnlyOneProcessHas_ComesBack()
    {
        await using var server = await RedisServer.StartNewAsync();
        await using var group = await ReplicaGroup.StartAsync(redis, server, 2);
        await group[0].WriteAsync("written", default, MapWaits.Bytes("w"));
        group[0].Publish("k", "1");
        group[0].Publish("removed", "1");
        group[0].Publish("removed", null);
        await group.ConvergedAsync();
        await new MapStop(group[0]).DisposeAsync();
        await server.StopAsync();
        await server.StartAsync();

        await StoredUntilAsync(server, group.Keys, "k=1 written=w");
    }

    [Fact]
    public async Task RedisRestartedWithOlderData_NewerIsPutBack()
    {
        await using var server = await RedisServer.StartNewAsync(keepsData: true);
        await using var group = await ReplicaGroup.StartAsync(redis, server, 2);
        group[0].Publish("changed", "1");
        group[0].Publish("same", "1");
        group[0].Publish("removed", "1");
        await group.ConvergedAsync();
        using (var admin = await ConnectionMultiplexer.ConnectAsync(server.Endpoint + ",allowAdmin=true"))
        {
            // What is written from now on is not in the file that the restart reads.
            await admin.GetServer(server.Endpoint).ConfigSetAsync("appendonly", "no");
        }

        group[1].Publish("changed", "2");
        group[1].Publish("added", "1");
        group[1].Publish("removed", null);
        var written = await group[1].WriteAsync("written", default, MapWaits.Bytes("1"));
        await group.ConvergedAsync();
        await server.StopAsync();
        await server.StartAsync();

        // At once, before any process compares: Redis has lost the writer's version, but no process has a newer one.
        await group[0].RefreshWhenBackAsync("written");
        Assert.True((await group[0].WriteAsync("written", written.Stored, MapWaits.Bytes("2"))).Done);
        await StoredUntilAsync(server, group.Keys, "added=1 changed=2 same=1 written=2");
        await group.ConvergedAsync();
        Assert.Equal("2", group[1].Text("written"));
    }

    [Fact]
    public async Task RedisFlushed_EverythingComesBackWithinThePeriod()
    {
        await using var server = await RedisServer.StartNewAsync();
        await using var group = await ReplicaGroup.StartAsync(
            redis, server, 2, static options => options.CatchUpInterval = TimeSpan.FromMilliseconds(200));
        group[0].Publish("k", "1");
        await group.ConvergedAsync();
        using (var admin = await ConnectionMultiplexer.ConnectAsync(server.Endpoint + ",allowAdmin=true"))
        {
            await admin.GetServer(server.Endpoint).FlushAllDatabasesAsync();
        }

        await StoredUntilAsync(server, group.Keys, "k=1");
    }

    [Fact]
    public async Task Start_WithoutRedis_FailsInTimeAndSaysWhy()
    {
        await using var server = await RedisServer.StartNewAsync();
        await server.StopAsync();
        var map = redis.OpenMap(server, redis.NewCluster(), static options => options.StartTimeout = TimeSpan.FromMilliseconds(300));
        await using var stop = new MapStop(map);

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => map.StartAsync(default).Soon());

        Assert.Contains("'map'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Suspended_Redis_StrongOperationsEndInTime()
    {
        await using var server = await RedisServer.StartNewAsync();
        var connection = redis.Connect(server);
        var store = new RedisReplicaStore(connection, redis.NewCluster(), "map", TimeSpan.FromHours(1));
        await connection.UntilAsync(static reply => reply.IsDone);
        server.Suspend();
        var failure = await Assert.ThrowsAsync<SiloUnavailableException>(async () => await store.ReadAsync("k", default));
        server.Resume();

        Assert.Contains("does not answer", failure.Message, StringComparison.Ordinal);
    }
}
