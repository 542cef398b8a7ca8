using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Replication;

/// <summary>Replicas of one map, each as in a process of its own, on a real Redis that stays.</summary>
[Collection(TimedCollection.Name)]
public sealed class ReplicatedMapTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static void Rarely(ReplicationOptions options)
    {
        options.CatchUpInterval = TimeSpan.FromHours(1);
        options.RemovalExpiration = TimeSpan.FromHours(3);
    }

    private static void Often(ReplicationOptions options) => options.CatchUpInterval = TimeSpan.FromMilliseconds(50);

    private Task<ReplicaGroup> StartAsync(int count, Action<ReplicationOptions>? configure = null) =>
        ReplicaGroup.StartAsync(redis, redis.Server, count, configure);

    [Fact]
    public async Task Publish_IsKnownEverywhereWithin100Milliseconds()
    {
        await using var group = await StartAsync(3, Rarely);
        var times = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            var text = $"v{i}";
            var arrived = Task.WhenAll(group[1].UntilTextAsync("k", text), group[2].UntilTextAsync("k", text));
            var since = Stopwatch.GetTimestamp();
            group[0].Publish("k", text);
            Assert.Equal(text, group[0].Text("k"));
            await arrived;
            times.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }

        Assert.InRange(times.Order().ElementAt(times.Count / 2), 0, 100);
    }

    [Fact]
    public async Task WhenSent_Published_IsKnownToWhoRefreshesThen()
    {
        await using var group = await StartAsync(2, Rarely);
        for (var i = 0; i < 100; i++)
        {
            group[0].Publish("k", $"v{i}");
            await group[0].WhenSentAsync("k").AsTask().Soon();
            await group[1].RefreshAsync("k").AsTask().Soon();

            Assert.Equal($"v{i}", group[1].Text("k"));
        }
    }

    [Fact]
    public async Task Publish_OfManyValues_ArrivesInOrderAndNeverTwiceAtOnce()
    {
        await using var group = await StartAsync(2);
        var seen = new ConcurrentQueue<int>();
        var running = 0;
        group[1].Changed += key =>
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            seen.Enqueue(int.Parse(group[1].Text(key)!, System.Globalization.CultureInfo.InvariantCulture));
            Interlocked.Decrement(ref running);
        };
        var arrived = group[1].UntilTextAsync("k", "500");

        for (var i = 1; i <= 500; i++)
        {
            group[0].Publish("k", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        await arrived;
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(500, seen.Last());
    }

    [Fact]
    public async Task Publish_Changed_IsToldBeforeItReturnsAndAFailingListenerHarmsNoOther()
    {
        await using var group = await StartAsync(1);
        var told = new List<string>();
        group[0].Changed += static _ => throw new InvalidOperationException("listener");
        group[0].Publish("a", "1");
        group[0].Changed += told.Add;
        group[0].Publish("b", "1");
        group[0].Publish("b", null);
        group[0].Publish("b", null);

        // Removing what is not there is no change.
        Assert.Equal(["b", "b"], told);
        Assert.Equal(("1", null), (group[0].Text("a"), group[0].Text("b")));
        await group[0].SentAsync();
    }

    [Fact]
    public async Task Publish_OfTheSameKeyByAll_EndsWithOneValueEverywhere()
    {
        await using var group = await StartAsync(3);
        await Task.WhenAll(group.Maps.Select((map, i) => Task.Run(() =>
        {
            for (var n = 0; n < 50; n++)
            {
                map.Publish("k", $"{i}/{n}");
            }
        })));
        await group.ConvergedAsync();

        Assert.Single(group.Maps.Select(static map => map.Text("k")).Distinct());
        Assert.EndsWith("/49", group[0].Text("k"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_WithAnOldSequence_IsRefusedAndTheNewerTakenOver()
    {
        await using var group = await StartAsync(1);
        var behind = new ManualTimeProvider();
        await using var late = await ReplicaGroup.StartAsync(redis, redis.Server, 1, null, group.Keys, behind);
        // The other's clock is of 2030 here, so it is ahead.
        late[0].Publish("k", "newer");
        await late[0].SentAsync();
        var replied = await redis.Connect().EvaluateAsync(ReplicaScripts.Publish, group.Keys.Map("map"), ["x", "nowhere", 1000, "k", 5, 1, "old"]);

        Assert.Equal(("0", "1", "newer"), ((string?)replied.Values[1], (string?)replied.Values[3], (string?)replied.Values[4]));
        await group[0].RefreshAsync("k");
        Assert.Equal("newer", group[0].Text("k"));
        group[0].Publish("k", "newest");
        await group[0].SentAsync();
        await late[0].RefreshAsync("k");
        Assert.Equal("newest", late[0].Text("k"));
    }

    [Fact]
    public async Task LostMessage_IsCaughtUpWithinThePeriod()
    {
        await using var group = await StartAsync(2, Often);
        var arrived = group[1].UntilTextAsync("silent", "1");

        await group.ChangeSilentlyAsync("silent", "1");

        await arrived;
    }

    [Fact]
    public async Task LostMessage_IsCaughtUpAtTheNextOne()
    {
        await using var group = await StartAsync(2, Rarely);
        var arrived = Task.WhenAll(group[1].UntilTextAsync("silent", "1"), group[1].UntilTextAsync("k", "2"));

        await group.ChangeSilentlyAsync("silent", "1");
        Assert.Null(group[1].Text("silent"));
        group[0].Publish("k", "2");

        await arrived;
    }

    [Fact]
    public async Task BrokenSubscription_IsCaughtUpAfterItsReturn()
    {
        await using var group = await StartAsync(2, Rarely);
        using var admin = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(redis.Server.Endpoint + ",allowAdmin=true");
        var arrived = group[1].UntilTextAsync("k", "1");

        await group.ChangeSilentlyAsync("k", "1");
        Assert.Null(group[1].Text("k"));
        await admin.GetDatabase().ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");

        await arrived;
    }

    [Fact]
    public async Task Removal_IsKnownEverywhereAndAnOldPublishDoesNotUndoIt()
    {
        await using var group = await StartAsync(2);
        group[0].Publish("k", "1");
        Assert.True(group[0].TryGet("k", out var old));
        await group.ConvergedAsync();
        var gone = group[1].UntilTextAsync("k", null);

        group[0].Publish("k", null);
        await gone;
        await group[0].SentAsync();
        await redis.Connect().EvaluateAsync(ReplicaScripts.Publish, group.Keys.Map("map"), ["x", "nowhere", 1000, "k", old.Sequence, 1, "old"]);

        await group[1].RefreshAsync("k");
        Assert.Null(group[1].Text("k"));
        Assert.Equal((0, 0), (group[0].Count, group[1].Count));
        Assert.Empty(group[1].All);
    }

    [Fact]
    public async Task Removal_ThatWasMissedAndForgotten_IsFoundByReadingEverything()
    {
        await using var group = await StartAsync(1, Rarely);
        group[0].Publish("k", "1");
        group[0].Publish("stays", "1");
        await group[0].SentAsync();
        await group.ChangeSilentlyAsync("k", null, removalMilliseconds: 0);
        var gone = group[0].UntilTextAsync("k", null);

        // The first process that looks makes Redis forget.
        await using var other = await ReplicaGroup.StartAsync(redis, redis.Server, 1, Rarely, group.Keys);
        Assert.Equal("1", group[0].Text("k"));
        other[0].Publish("next", "1");

        await gone;
        Assert.Equal("1", group[0].Text("stays"));
        Assert.Equal(2, group[0].Count);
    }

    [Fact]
    public async Task Refresh_OfAKey_KnowsWhatNoMessageSaid()
    {
        await using var group = await StartAsync(1, Rarely);
        await group.ChangeSilentlyAsync("k", "1");

        await group[0].RefreshAsync("k");

        Assert.Equal("1", group[0].Text("k"));
    }

    [Fact]
    public async Task Write_ComparesAndIsKnownEverywhere()
    {
        await using var group = await StartAsync(2);
        var arrived = group[1].UntilTextAsync("k", "2");
        var first = await group[0].WriteAsync("k", default, MapWaits.Bytes("1"));
        var second = await group[0].WriteAsync("k", first.Stored, MapWaits.Bytes("2"));
        var late = await group[1].WriteAsync("k", first.Stored, MapWaits.Bytes("3"));
        await arrived;

        Assert.Equal((true, true, false), (first.Done, second.Done, late.Done));
        Assert.Equal(second.Stored, late.Stored);
        Assert.Equal(second.Stored, ReplicaVersion.Parse(second.Stored.ToString()));
        Assert.True(second.Stored.Sequence > first.Stored.Sequence);
        Assert.Equal(default, (await group[1].WriteAsync("k", second.Stored, null)).Stored);
        Assert.False((await group[1].WriteAsync("k", second.Stored, MapWaits.Bytes("4"))).Done);
        Assert.Null(group[1].Text("k"));
    }

    [Fact]
    public async Task Start_WithASlowListener_ReturnsOnceItKnowsEverything()
    {
        const int Entries = 300;
        await using var group = await StartAsync(1);
        for (var i = 0; i < Entries; i++)
        {
            group[0].Publish($"k{i}", "v");
        }

        await group.ConvergedAsync();
        var late = redis.OpenMap(redis.Server, group.Keys);
        await using var stop = new MapStop(late);
        var heard = 0;
        late.Changed += _ =>
        {
            var since = Stopwatch.StartNew();
            SpinWait.SpinUntil(() => since.ElapsedMilliseconds >= 1);
            Interlocked.Increment(ref heard);
        };

        await late.StartAsync(default).Soon();

        Assert.Equal(Entries, Volatile.Read(ref heard));
    }

    [Fact]
    public async Task Start_With10000Entries_TakesLessThanTwoSeconds()
    {
        await using var group = await StartAsync(1);
        var content = new byte[1000];
        for (var i = 0; i < 10_000; i++)
        {
            group[0].Publish($"model-{i}", content);
        }

        await group[0].SentAsync();
        var since = Stopwatch.StartNew();
        await using var newcomer = await ReplicaGroup.StartAsync(redis, redis.Server, 1, null, group.Keys);

        Assert.Equal(10_000, newcomer[0].Count);
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2) + Bounds.Noise);
    }

    /// <summary>Any interleaving of publishes and removals on three replicas ends with the same map on all of them, and in Redis.</summary>
    [Fact]
    public async Task Publishes_InAnyInterleaving_Converge()
    {
        await using var group = await StartAsync(3);
        var step =
            from replica in Gen.Choose(0, 2)
            from key in Gen.Choose(0, 3)
            from value in Gen.Choose(-1, 9)
            from pause in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
            select (replica, key, value, pause);
        Prop.ForAll(step.ListOf().ToArbitrary(), steps =>
        {
            foreach (var (replica, key, value, pause) in steps)
            {
                group[replica].Publish($"k{key}", value < 0 ? null : [(byte)value]);
                if (pause)
                {
                    group[replica].SentAsync().Soon().GetAwaiter().GetResult();
                }
            }

            group.ConvergedAsync().Soon().GetAwaiter().GetResult();
            var contents = group.Maps.Select(static map => string.Join(' ', map.All
                .OrderBy(static entry => entry.Key, StringComparer.Ordinal)
                .Select(static entry => $"{entry.Key}={entry.Sequence}:{Convert.ToHexString(entry.Content.Span)}")));
            return contents.Distinct().Count() == 1;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
    }
}
