using System.Diagnostics;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Replication;

/// <summary>Started replicas of one map, each with its own connection.</summary>
internal sealed class ReplicaGroup : IAsyncDisposable
{
    private readonly RedisConnection _redis;

    private ReplicaGroup(RedisConnection redis, RedisKeys keys, ReplicatedMap[] maps)
    {
        _redis = redis;
        Keys = keys;
        Maps = maps;
    }

    public RedisKeys Keys { get; }

    public IReadOnlyList<ReplicatedMap> Maps { get; }

    public ReplicatedMap this[int index] => Maps[index];

    public static async Task<ReplicaGroup> StartAsync(
        RedisFixture redis, RedisServer server, int count, Action<ReplicationOptions>? configure = null, RedisKeys? keys = null, TimeProvider? time = null)
    {
        keys ??= redis.NewCluster();
        var group = new ReplicaGroup(redis.Connect(server), keys, [.. Enumerable.Range(0, count).Select(_ => redis.OpenMap(server, keys, configure, time))]);
        await Task.WhenAll(group.Maps.Select(static map => map.StartAsync(default))).Soon();
        return group;
    }

    /// <summary>Changes an entry in Redis, with a message that no process hears.</summary>
    public async Task ChangeSilentlyAsync(string key, string? text, long removalMilliseconds = 3_600_000)
    {
        var sequence = Maps[0].TryGet(key, out var entry) ? entry.Sequence + 1 : 1;
        var reply = await _redis.EvaluateAsync(
            ReplicaScripts.Publish, Keys.Map("map"), ["test", "nowhere", removalMilliseconds, key, sequence, text is null ? 0 : 1, text ?? ""]);
        Assert.Equal("1", reply.Values[1]);
    }

    /// <summary>Returns once all replicas are equal and have sent all.</summary>
    public async Task ConvergedAsync()
    {
        var since = Stopwatch.StartNew();
        while (Maps.Any(static map => map.Pending > 0) || Maps.Select(Versions).Distinct().Count() > 1)
        {
            Assert.True(since.Elapsed < Wait.Limit, $"not the same everywhere: {string.Join(" | ", Maps.Select(Versions))}");
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var map in Maps)
        {
            await new MapStop(map).DisposeAsync();
        }
    }

    private static string Versions(ReplicatedMap map) =>
        string.Join(',', map.All.Select(static entry => $"{entry.Key}@{entry.Sequence}").Order(StringComparer.Ordinal).Take(50)) + $" of {map.Count}";
}
