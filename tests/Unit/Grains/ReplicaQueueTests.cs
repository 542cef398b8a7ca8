using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Metrics;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ReplicaQueueTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly MetricsHost _metricsHost = new();
    private readonly InferenceWorkers _workers;
    private readonly ReplicaStatisticsRecorder _statistics;
    private readonly ReplicaMetrics _metrics;
    private readonly LogSink _log = new();

    public ReplicaQueueTests()
    {
        _workers = new InferenceWorkers(new InferenceOptions { Threads = 8 }, _time);
        _statistics = new ReplicaStatisticsRecorder(_time);
        _metrics = new ReplicaMetricsFactory(_metricsHost.Registry).Create("gated", 1, 1, 1);
    }

    private ReplicaStatistics Statistics => _statistics.Read();

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

        Assert.Equal(["gated version 1"], _workers.Running);

        var draining = queue.DrainAsync();
        run.Finish();
        await reply.Soon();
        await draining.Soon();
        Assert.Empty(_workers.Running);
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
        _time.Advance(TimeSpan.FromSeconds(2));
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
        _time.Advance(TimeSpan.FromMilliseconds(10));
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
        var logged = Assert.Single(_log.Entries, entry => entry.Level == LogLevel.Error);
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
        _time.Advance(TimeSpan.FromSeconds(3));
        run.Finish(milliseconds: 5, rows: 4);
        await first.Soon();
        run = await model.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        run.Finish(milliseconds: 7, rows: 2);
        await second.Soon();

        var statistics = Statistics;

        Assert.Equal((6L, 2L), (statistics.InferenceCount, statistics.ExecutionCount));
        Assert.Equal(new DurationTotal(2, 7_000_000_000), statistics.Success);
        Assert.Equal(new DurationTotal(2, 3_000_000_000), statistics.Queue);
        Assert.Equal(new DurationTotal(2, 12_000_000), statistics.ComputeInfer);
        Assert.Equal(new DurationTotal(2, 2_000), statistics.ComputeInput);
        Assert.Equal(new DurationTotal(2, 4_000), statistics.ComputeOutput);
        Assert.Equal(_time.GetUtcNow(), statistics.LastInference);
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
        var during = await _metricsHost.ScrapeAsync();
        await giveUp.CancelAsync();
        run.Finish();
        (await model.NextAsync()).Finish();
        await Task.WhenAll(replies).Soon();

        var after = await _metricsHost.ScrapeAsync();

        Assert.Equal(2, during["cluster_waiting_requests{name=gated,version=1}"]);
        Assert.Equal(1, during["ovms_current_requests{name=gated,version=1}"]);
        Assert.Equal(0, after["cluster_waiting_requests{name=gated,version=1}"]);
        Assert.Equal(0, after["ovms_current_requests{name=gated,version=1}"]);
        Assert.Equal(1, after["cluster_rejected_requests{name=gated,reason=queue_full,version=1}"]);
        Assert.Equal(1, after["cluster_rejected_requests{name=gated,reason=cancelled,version=1}"]);
    }

    private static async Task<GatedRun> NextAsync(GatedModel model, int number)
    {
        var run = await model.NextAsync();
        Assert.Equal(number, run.Number);
        return run;
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _metricsHost.Dispose();
        _log.Dispose();
        _workers.Dispose();
    }

    private ReplicaQueue Queue(GatedModel model, int limit = 100, TimeSpan? longestWait = null) =>
        new(model, limit, longestWait, _workers, _statistics, _metrics, _time, _log.CreateLogger("queue"));

    private static Task<InferReply> Enqueue(ReplicaQueue queue, int number, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        queue.EnqueueAsync(new InferRequest { Message = PayloadBuffer.CopyOf([(byte)number]), Timeout = timeout }, cancellationToken).AsTask();
}
