using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Runs that do not end, as their queue finds them.</summary>
public sealed class StuckRunTests : ReplicaQueueTestBase
{
    private const int Overdue = 2310;
    private const int Stuck = 2311;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Look_RunGoesOnAfterTheLimit_IsAskedToEndOnceAndThenCountsAsStuck()
    {
        var model = new GatedModel(concurrency: 2);
        var queue = Queue(model, stuckAfter: Limit);
        var reply = Enqueue(queue, 1);
        var run = await NextAsync(model, 1);

        Time.Advance(Limit - TimeSpan.FromSeconds(1));
        Assert.False(queue.Watch.Look());
        Assert.Empty(model.Ended);

        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(queue.Watch.Look());
        Assert.Equal([Limit * 0.9], model.Ended);
        Assert.Equal(0, queue.Watch.Stuck);

        // The other slot is free.
        Assert.False(queue.Watch.Look());
        Assert.False(queue.Watch.Look());
        Assert.Equal((1, 1), (queue.Watch.Stuck, model.Ended.Count));
        Assert.Equal(1, (await Metrics.ScrapeAsync())["cluster_stuck_runs{name=gated,version=1}"]);
        Assert.Single(Logged.Entries, static entry => entry.Id == Overdue);
        Assert.Equal("A run of gated version 1 did not end when it was asked to, after 600 s: its slot is lost until it does", Assert.Single(Logged.Entries, static entry => entry.Id == Stuck).Message);

        run.Finish();
        Assert.True((await reply.Soon()).Succeeded);
        Assert.Equal(0, queue.Watch.Stuck);
        Assert.Equal(0, (await Metrics.ScrapeAsync())["cluster_stuck_runs{name=gated,version=1}"]);
    }

    [Fact]
    public async Task Look_RunEndsWhenAskedTo_IsNotStuck()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, stuckAfter: Limit);
        var reply = Enqueue(queue, 1);
        var run = await NextAsync(model, 1);
        Time.Advance(Limit);
        Assert.False(queue.Watch.Look());

        run.Fail(new ServingException(Failure.DeadlineExceeded("ended")));
        Assert.Equal(StatusCode.DeadlineExceeded, (await reply.Soon()).Failure!.Code);

        Assert.False(queue.Watch.Look());
        Assert.DoesNotContain(Logged.Entries, static entry => entry.Id == Stuck);
        Assert.True(queue.HasRoom);
    }

    [Fact]
    public async Task Look_ModelWhoseRunsTakeLong_LetsThemTakeFourTimesThat()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, stuckAfter: Limit);
        var first = Enqueue(queue, 1);
        (await NextAsync(model, 1)).Finish(milliseconds: (long)Limit.TotalMilliseconds);
        await first.Soon();
        var reply = Enqueue(queue, 2);
        var run = await NextAsync(model, 2);

        Time.Advance(Limit * 4);
        queue.Watch.Look();
        Assert.Empty(model.Ended);
        Time.Advance(TimeSpan.FromSeconds(1));
        queue.Watch.Look();
        Assert.Single(model.Ended);

        run.Finish();
        await reply.Soon();
    }

    [Fact]
    public async Task Look_StuckRunsHaveAllSlots_WhatWaitsIsSentToAnotherReplica()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, stuckAfter: Limit);
        var reply = Enqueue(queue, 1);
        var run = await NextAsync(model, 1);
        var waiting = Enqueue(queue, 2);
        Time.Advance(Limit);
        Assert.False(queue.Watch.Look());
        Assert.True(queue.Watch.Look());

        var drained = queue.DrainAsync(sendsAway: true);

        Assert.Equal(FailureKind.Moved, (await waiting.Soon()).Failure!.Kind);
        Assert.Equal(FailureKind.Moved, (await Enqueue(queue, 3).Soon()).Failure!.Kind);
        Assert.Equal(0, queue.Waiting);
        Assert.False(drained.IsCompleted);
        run.Finish();
        await reply.Soon();
        await drained.Soon();
    }

    /// <summary>All of them together get one limit: each its part of what the others have left.</summary>
    [Fact]
    public async Task Look_BatchThatWasToEnd_ItsRequestsByThemselvesTakeOneLimitTogether()
    {
        var model = new GatedModel(concurrency: 1) { Batching = new BatchingSettings { MaxSize = 4 } };
        var queue = Queue(model, stuckAfter: Limit);
        var first = Enqueue(queue, 0);
        var run = await NextAsync(model, 0);
        var replies = Enumerable.Range(1, 4).Select(number => Enqueue(queue, number)).ToList();
        run.Finish();
        await first.Soon();
        var together = await NextAsync(model, 1);
        Assert.Equal([1, 2, 3, 4], together.Numbers);
        Time.Advance(Limit);
        queue.Watch.Look();
        together.Fail(new InvalidOperationException("ended"));

        // The first is quick, so the second has a third of the limit. The third has half of what is left.
        (await NextAsync(model, 1)).Finish();
        var second = await NextAsync(model, 2);
        Time.Advance((Limit / 3) - TimeSpan.FromSeconds(1));
        queue.Watch.Look();
        Assert.Single(model.Ended);
        Time.Advance(TimeSpan.FromSeconds(1));
        queue.Watch.Look();
        Assert.Equal([Limit * 0.9, Limit / 3 * 0.9], model.Ended);
        second.Fail(new ServingException(Failure.DeadlineExceeded("ended")));
        var third = await NextAsync(model, 3);
        Time.Advance(Limit * 2 / 3);
        third.Fail(new ServingException(Failure.DeadlineExceeded("ended")));
        var failures = await Task.WhenAll(replies).Soon();

        Assert.True(failures[0].Succeeded);
        Assert.All(failures[1..], static reply => Assert.Equal(StatusCode.DeadlineExceeded, reply.Failure!.Code));
        Assert.Contains("that this one was in took too long", failures[3].Failure!.Message, StringComparison.Ordinal);
        Assert.False(model.HasMore);
        await queue.DrainAsync().Soon();
    }

    [Fact]
    public async Task Enqueue_OneOfTwoSlotsIsStuck_ExpectsToWaitForTheOther()
    {
        var model = new GatedModel(concurrency: 2);
        var queue = Queue(model, longestWait: TimeSpan.FromMilliseconds(250), stuckAfter: Limit);
        var warm = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds: 100);
        await warm.Soon();
        var stuck = Enqueue(queue, 1);
        var run = await NextAsync(model, 1);
        Time.Advance(Limit);
        queue.Watch.Look();
        queue.Watch.Look();
        Assert.Equal(1, queue.Watch.Stuck);

        // One runs and two wait: with two slots the next would wait for some 100 ms.
        var replies = Enumerable.Range(2, 3).Select(number => Enqueue(queue, number)).ToList();
        var refused = await Enqueue(queue, 5).Soon();

        Assert.Equal("model 'gated' version 1 would start this request in about 300 ms, the limit is 250 ms", refused.Failure!.Message);
        for (var number = 2; number < 5; number++)
        {
            (await NextAsync(model, number)).Finish();
        }

        await Task.WhenAll(replies).Soon();
        run.Finish();
        await stuck.Soon();
    }

    [Fact]
    public async Task Look_RunThatWaitsForAThread_DoesNotCount()
    {
        var (busy, late) = (new GatedModel(concurrency: 8), new GatedModel(concurrency: 1));
        var (first, second) = (Queue(busy), Queue(late, stuckAfter: Limit));
        var replies = Enumerable.Range(0, 8).Select(number => Enqueue(first, number)).ToList();
        var runs = new List<GatedRun>();
        while (runs.Count < replies.Count)
        {
            runs.Add(await busy.NextAsync());
        }

        var reply = Enqueue(second, 9);
        Assert.Equal(1, second.Running);
        Time.Advance(Limit * 2);
        second.Watch.Look();
        Assert.Empty(late.Ended);

        runs.ForEach(static run => run.Finish());
        (await NextAsync(late, 9)).Finish();
        await reply.Soon();
        await Task.WhenAll(replies).Soon();
    }

    [Fact]
    public async Task Look_WithoutALimit_EndsNothing()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var reply = Enqueue(queue, 1);
        var run = await NextAsync(model, 1);

        Time.Advance(TimeSpan.FromDays(1));

        Assert.False(queue.Watch.Look());
        Assert.False(queue.Watch.Look());
        Assert.Empty(model.Ended);
        run.Finish();
        await reply.Soon();
    }
}
