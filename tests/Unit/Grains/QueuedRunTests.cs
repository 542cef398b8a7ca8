using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Where a request of a queue runs, what becomes of it and how it is counted.</summary>
public sealed class QueuedRunTests : ReplicaQueueTestBase
{
    [Theory]
    [InlineData(0, 1, true)]
    [InlineData(1, 1, false)]
    [InlineData(0, 20_000, false)]
    public async Task Enqueue_FreeSlotAndShortRuns_RunsOnItsCallersThread(int milliseconds, int bytes, bool here)
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var learn = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds);
        await learn.Soon();
        var thread = 0;
        var caller = Task.Run(() =>
        {
            thread = Environment.CurrentManagedThreadId;
            return queue.EnqueueAsync(new InferRequest { Message = PayloadBuffer.CopyOf(new byte[bytes]) }, default).AsTask();
        });

        var run = await model.NextAsync();
        run.Finish(milliseconds);

        Assert.True((await caller.Soon()).Succeeded);
        Assert.Equal(here, run.Thread == thread);
    }

    [Fact]
    public async Task Enqueue_AfterALongRunThatFailed_IsLeftToAnInferenceThread()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var learn = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds: 0);
        await learn.Soon();
        var slow = Task.Run(() => Enqueue(queue, 1));
        var run = await model.NextAsync();
        Time.Advance(TimeSpan.FromMilliseconds(10));
        run.Fail(new ServingException(Failure.Cancelled("stopped")));
        await slow.Soon();

        var next = Enqueue(queue, 2);

        Assert.False(next.IsCompleted);
        (await NextAsync(model, 2)).Finish();
        Assert.True((await next.Soon()).Succeeded);
    }

    [Fact]
    public async Task Enqueue_BehindAShortRun_IsLeftToAnInferenceThread()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var learn = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds: 0);
        await learn.Soon();
        var first = Task.Run(() => Enqueue(queue, 1));
        var run = await model.NextAsync();
        var second = Enqueue(queue, 2);
        Assert.False(second.IsCompleted);

        run.Finish(milliseconds: 0);

        Assert.True((await first.Soon()).Succeeded);
        (await NextAsync(model, 2)).Finish();
        Assert.True((await second.Soon()).Succeeded);
    }

    [Fact]
    public async Task Run_Fails_IsAnsweredAndTheNextRuns()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var known = Enqueue(queue, 0);
        var unknown = Enqueue(queue, 1);
        var good = Enqueue(queue, 2);

        (await NextAsync(model, 0)).Fail(ServingException.InvalidArgument("wrong shape"));
        (await NextAsync(model, 1)).Fail(new InvalidOperationException("a bug"));
        (await NextAsync(model, 2)).Finish();

        Assert.Equal(Failure.InvalidArgument("wrong shape"), (await known.Soon()).Failure);
        var failure = (await unknown.Soon()).Failure!;
        Assert.Equal((StatusCode.Internal, "internal error while running model 'gated' version 1"), (failure.Code, failure.Message));
        Assert.True((await good.Soon()).Succeeded);
        var logged = Assert.Single(Logged.Entries, entry => entry.Level == LogLevel.Error);
        Assert.Equal((2106, "a bug"), (logged.Id.Id, logged.Exception!.Message));
        Assert.Equal((1L, 2L), (Statistics.Success.Count, Statistics.Fail.Count));
    }

    [Fact]
    public async Task Statistics_OfRuns_AreWhatHappened()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        Assert.Null(Statistics.LastInference);
        var first = Enqueue(queue, 0);
        var second = Enqueue(queue, 1);
        var run = await model.NextAsync();
        Time.Advance(TimeSpan.FromSeconds(3));
        run.Finish(milliseconds: 5, rows: 4);
        await first.Soon();
        run = await model.NextAsync();
        Time.Advance(TimeSpan.FromSeconds(1));
        run.Finish(milliseconds: 7, rows: 2);
        await second.Soon();

        var statistics = Statistics;

        Assert.Equal((6L, 2L), (statistics.InferenceCount, statistics.ExecutionCount));
        Assert.Equal(new DurationTotal(2, 7_000_000_000), statistics.Success);
        Assert.Equal(new DurationTotal(2, 3_000_000_000), statistics.Queue);
        Assert.Equal(new DurationTotal(2, 12_000_000), statistics.ComputeInfer);
        Assert.Equal(new DurationTotal(2, 2_000), statistics.ComputeInput);
        Assert.Equal(new DurationTotal(2, 4_000), statistics.ComputeOutput);
        Assert.Equal(Time.GetUtcNow(), statistics.LastInference);
        Assert.Equal([2L, 4L], statistics.Batches.Keys);
        Assert.Equal(new DurationTotal(1, 5_000_000), statistics.Batches[4].Infer);
    }

    [Fact]
    public async Task Metrics_OfRequests_AreBackAtZero()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, limit: 2);
        using var giveUp = new CancellationTokenSource();
        var replies = new[] { Enqueue(queue, 0), Enqueue(queue, 1), Enqueue(queue, 2, cancellationToken: giveUp.Token) };
        var run = await model.NextAsync();
        await Enqueue(queue, 3).Soon();
        var during = await Metrics.ScrapeAsync();
        await giveUp.CancelAsync();
        run.Finish();
        (await model.NextAsync()).Finish();
        await Task.WhenAll(replies).Soon();

        var after = await Metrics.ScrapeAsync();

        Assert.Equal(2, during["cluster_waiting_requests{name=gated,version=1}"]);
        Assert.Equal(1, during["ovms_current_requests{name=gated,version=1}"]);
        Assert.Equal(0, after["cluster_waiting_requests{name=gated,version=1}"]);
        Assert.Equal(0, after["ovms_current_requests{name=gated,version=1}"]);
        Assert.Equal(1, after["cluster_rejected_requests{name=gated,reason=queue_full,version=1}"]);
        Assert.Equal(1, after["cluster_rejected_requests{name=gated,reason=cancelled,version=1}"]);
    }
}
