using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Which requests a queue takes, in which order, and which it gives up.</summary>
public sealed class ReplicaQueueTests : ReplicaQueueTestBase
{
    [Fact]
    public async Task Enqueue_MoreThanTheConcurrency_RunsSoManyAtOnceInOrderOfArrival()
    {
        var model = new GatedModel(concurrency: 3);
        var queue = Queue(model);
        var replies = Enumerable.Range(0, 20).Select(number => Enqueue(queue, number)).ToList();
        var started = new List<GatedRun> { await model.NextAsync(), await model.NextAsync(), await model.NextAsync() };
        Assert.Equal([0, 1, 2], started.Select(run => run.Number).Order());

        // One ends, one starts: the next in the order of arrival.
        for (var next = 3; next < 20; next++)
        {
            Assert.False(model.HasMore);
            started[next - 3].Finish();
            started.Add(await model.NextAsync());
            Assert.Equal(next, started[next].Number);
        }

        started.ForEach(run => run.Finish());
        foreach (var (reply, number) in replies.Select((reply, number) => (reply, number)))
        {
            Assert.Equal(number, (await reply.Soon()).Message!.Span[0]);
        }

        Assert.Equal(3, model.MostAtOnce);
        Assert.Equal((20L, 20L, 20L), (Statistics.ExecutionCount, Statistics.InferenceCount, Statistics.Success.Count));
        Assert.Equal(0, Statistics.Fail.Count);
    }

    [Fact]
    public async Task Running_WhileARunIsUnderWay_NamesTheModel()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var reply = Enqueue(queue, 1);
        var run = await model.NextAsync();

        Assert.Equal(["gated version 1"], Workers.Running);

        var draining = queue.DrainAsync();
        run.Finish();
        await reply.Soon();
        await draining.Soon();
        Assert.Empty(Workers.Running);
    }

    [Fact]
    public async Task Enqueue_FromManyThreads_NeverExceedsTheConcurrencyAndAnswersAll()
    {
        var model = new GatedModel(concurrency: 2);
        var queue = Queue(model, limit: 1000);
        var replies = Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
            Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Enqueue(queue, thread))))));
        for (var i = 0; i < 400; i++)
        {
            (await model.NextAsync()).Finish();
        }

        Assert.All((await replies.Soon()).SelectMany(some => some), reply => Assert.True(reply.Succeeded));
        Assert.InRange(model.MostAtOnce, 1, 2);
        await queue.DrainAsync().Soon();
    }

    [Fact]
    public async Task Enqueue_QueueFull_RefusesWithAHint()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, limit: 1);
        var first = Enqueue(queue, 0);
        var second = Enqueue(queue, 1);
        var run = await model.NextAsync();

        var refused = await Enqueue(queue, 2).Soon();

        Assert.Equal(StatusCode.ResourceExhausted, refused.Failure!.Code);
        Assert.Equal("model 'gated' version 1 has its queue full: 1 requests wait, the limit is 1", refused.Failure.Message);
        Assert.Equal(TimeSpan.FromMilliseconds(1), refused.Failure.RetryAfter);
        Assert.Equal(1, Statistics.Fail.Count);
        run.Finish(milliseconds: 200);
        await first.Soon();

        // Now a run's time is known, and with it how long the queue takes.
        var third = Enqueue(queue, 3);
        var refusedLater = await Enqueue(queue, 4).Soon();
        Assert.Equal(400, refusedLater.Failure!.RetryAfter!.Value.TotalMilliseconds, 0);
        (await model.NextAsync()).Finish();
        (await model.NextAsync()).Finish();
        Assert.True((await second.Soon()).Succeeded);
        Assert.True((await third.Soon()).Succeeded);
    }

    [Fact]
    public async Task Enqueue_NoQueueAtAll_ServesAsSoonAsASlotIsFree()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, limit: 0);
        for (var i = 0; i < 50; i++)
        {
            // An answered request has given its slot back already.
            var reply = Enqueue(queue, i);
            (await model.NextAsync()).Finish();
            Assert.True((await reply.Soon()).Succeeded);
        }
    }

    [Fact]
    public async Task Enqueue_DeadlineThatCannotBeMet_RefusesAtOnce()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var learn = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds: 100);
        await learn.Soon();
        var running = Enqueue(queue, 1);
        var run = await model.NextAsync();

        var refused = await Enqueue(queue, 2, TimeSpan.FromMilliseconds(50)).Soon();
        var waiting = Enqueue(queue, 3, TimeSpan.FromMilliseconds(250));
        var refusedBehind = await Enqueue(queue, 4, TimeSpan.FromMilliseconds(250)).Soon();

        Assert.Equal(StatusCode.DeadlineExceeded, refused.Failure!.Code);
        Assert.Contains("the deadline in 50 ms cannot be met", refused.Failure.Message, StringComparison.Ordinal);
        Assert.Contains("in about 100 ms", refused.Failure.Message, StringComparison.Ordinal);
        Assert.Contains("in about 200 ms and run for 100 ms", refusedBehind.Failure!.Message, StringComparison.Ordinal);
        run.Finish();
        (await model.NextAsync()).Finish();
        Assert.True((await waiting.Soon()).Succeeded);
        Assert.True((await running.Soon()).Succeeded);
        Assert.Equal((3L, 2L), (Statistics.Success.Count, Statistics.Fail.Count));
    }

    [Fact]
    public async Task Enqueue_FreeSlot_TakesAnyDeadline()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var learn = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds: 10_000);
        await learn.Soon();

        var reply = Enqueue(queue, 1, TimeSpan.FromMilliseconds(1));
        (await model.NextAsync()).Finish();

        Assert.True((await reply.Soon()).Succeeded);
    }

    [Fact]
    public async Task Enqueue_DeadlinePassesInTheQueue_IsNotRun()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var first = Enqueue(queue, 0);
        var late = Enqueue(queue, 1, TimeSpan.FromSeconds(1));
        var inTime = Enqueue(queue, 2, TimeSpan.FromSeconds(3));
        var run = await model.NextAsync();
        Time.Advance(TimeSpan.FromSeconds(2));
        run.Finish();

        var next = await model.NextAsync();
        Assert.Equal(2, next.Number);
        var reply = await late.Soon();
        Assert.Equal(StatusCode.DeadlineExceeded, reply.Failure!.Code);
        Assert.Equal("the deadline passed after 2000 ms in the queue of model 'gated' version 1", reply.Failure.Message);
        Assert.True((await first.Soon()).Succeeded);
        next.Finish();
        Assert.True((await inTime.Soon()).Succeeded);
    }

    [Fact]
    public async Task Enqueue_CallerGivesUpWhileWaiting_GivesThePlaceToTheNext()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, limit: 2);
        using var giveUp = new CancellationTokenSource();
        var first = Enqueue(queue, 0);
        var run = await model.NextAsync();
        var given = Enqueue(queue, 1, cancellationToken: giveUp.Token);
        var last = Enqueue(queue, 2);
        Assert.Equal(StatusCode.ResourceExhausted, (await Enqueue(queue, 3).Soon()).Failure!.Code);

        await giveUp.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await given.Soon()).Failure!.Code);
        var taken = Enqueue(queue, 4);
        run.Finish();
        (await NextAsync(model, 2)).Finish();
        (await NextAsync(model, 4)).Finish();
        Assert.True((await first.Soon()).Succeeded);
        Assert.True((await last.Soon()).Succeeded);
        Assert.True((await taken.Soon()).Succeeded);
        Assert.Equal((3L, 1L, 1L), (Statistics.Success.Count, Statistics.Fail.Count, Statistics.Cancel.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Enqueue_CallerHasGivenUpBefore_IsNotRun(bool busy)
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var first = busy ? Enqueue(queue, 0) : null;
        var run = busy ? await model.NextAsync() : null;

        var reply = await Enqueue(queue, 1, cancellationToken: new CancellationToken(canceled: true)).Soon();

        Assert.Equal(StatusCode.Cancelled, reply.Failure!.Code);
        run?.Finish();
        await (first ?? Task.FromResult(reply)).Soon();
        await queue.DrainAsync().Soon();
        Assert.False(model.HasMore);
        Assert.Equal((0L, 1L), (Statistics.Fail.Count, Statistics.Cancel.Count));
    }

    [Fact]
    public async Task Enqueue_CallerGivesUpAndTheRunStops_IsNoFailure()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var reply = Enqueue(queue, 0);

        (await model.NextAsync()).Fail(new ServingException(Failure.Cancelled("stopped")));

        Assert.Equal(StatusCode.Cancelled, (await reply.Soon()).Failure!.Code);
        Assert.Equal((0L, 1L), (Statistics.Fail.Count, Statistics.Cancel.Count));
    }

    [Fact]
    public async Task Enqueue_CallerGivesUpDuringTheRun_IsLeftToTheRun()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        using var giveUp = new CancellationTokenSource();
        var reply = Enqueue(queue, 0, cancellationToken: giveUp.Token);
        var run = await model.NextAsync();

        await giveUp.CancelAsync();
        Assert.False(reply.IsCompleted);
        run.Finish();

        Assert.True((await reply.Soon()).Succeeded);
    }

    [Fact]
    public async Task Drain_WhileRequestsWait_CompletesAfterTheLastAndTakesNothingMore()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var replies = new[] { Enqueue(queue, 0), Enqueue(queue, 1) };
        var drained = queue.DrainAsync();

        var refused = await Enqueue(queue, 2).Soon();
        Assert.Equal((StatusCode.Unavailable, FailureKind.Moved), (refused.Failure!.Code, refused.Failure.Kind));
        (await NextAsync(model, 0)).Finish();
        var last = await NextAsync(model, 1);
        Assert.False(drained.IsCompleted);
        last.Finish();

        await drained.Soon();
        Assert.All(await Task.WhenAll(replies).Soon(), reply => Assert.True(reply.Succeeded));
        Assert.Same(drained, queue.DrainAsync());
    }

    [Fact]
    public async Task Drain_Idle_IsDone() => await Queue(new GatedModel(1)).DrainAsync().Soon();
}
