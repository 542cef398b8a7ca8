using Cluster.Contracts.Errors;
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
