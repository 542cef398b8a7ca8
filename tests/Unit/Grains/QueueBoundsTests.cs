using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>What may wait in front of a replica: by bytes, by the expected wait, and as long as its caller does.</summary>
public sealed class QueueBoundsTests : ReplicaQueueTestBase
{
    [Fact]
    public async Task Bytes_ThatWouldBeMoreThanTheLimit_AreRefusedByNameAndNumber()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, maxBytes: 100);
        using var giveUp = new CancellationTokenSource();
        var running = Enqueue(queue, bytes: 500);
        var run = await model.NextAsync();
        var waiting = Enqueue(queue, bytes: 60, cancellationToken: giveUp.Token);

        var refused = (await Enqueue(queue, bytes: 41).Soon()).Failure!;
        var fits = Enqueue(queue, bytes: 40);

        Assert.Equal(StatusCode.ResourceExhausted, refused.Code);
        Assert.Equal("model 'gated' version 1 has its queue full: 60 bytes of requests wait and this one has 41, the limit is 100 bytes", refused.Message);
        Assert.NotNull(refused.RetryAfter);

        // What leaves the queue leaves its bytes.
        await giveUp.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await waiting.Soon()).Failure!.Code);
        var another = Enqueue(queue, bytes: 60);
        run.Finish();
        (await model.NextAsync()).Finish();
        (await model.NextAsync()).Finish();
        Assert.All(await Task.WhenAll(running, fits, another).Soon(), static reply => Assert.True(reply.Succeeded));
        Assert.Equal(1, (await Metrics.ScrapeAsync())["cluster_rejected_requests{name=gated,reason=queue_full,version=1}"]);
    }

    [Fact]
    public async Task Bytes_OfOneRequestAlone_MayBeMoreThanTheLimit()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, maxBytes: 100);
        var replies = new[] { Enqueue(queue), Enqueue(queue, bytes: 5000) };

        var refused = await Enqueue(queue).Soon();

        Assert.Equal(StatusCode.ResourceExhausted, refused.Failure!.Code);
        (await model.NextAsync()).Finish();
        (await model.NextAsync()).Finish();
        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    /// <summary>What a queue will be in an hour follows from nothing that is known now.</summary>
    [Fact]
    public async Task Refused_WhereTheWaitIsLong_IsToldToTryAgainWithinAMinute()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, longestWait: TimeSpan.FromSeconds(1));
        var learn = Enqueue(queue);
        (await model.NextAsync()).Finish(milliseconds: 3_600_000);
        await learn.Soon();
        var running = Enqueue(queue);

        var refused = (await Enqueue(queue).Soon()).Failure!;

        Assert.Equal("model 'gated' version 1 would start this request in about 3600000 ms, the limit is 1000 ms", refused.Message);
        Assert.Equal(TimeSpan.FromMinutes(1), refused.RetryAfter);
        (await model.NextAsync()).Finish();
        Assert.True((await running.Soon()).Succeeded);
    }

    /// <summary>Two slots, runs of 8 ms that began 4 ms apart: the next slots are free after 4, 8 and 12 ms.</summary>
    [Fact]
    public async Task Wait_IsReckonedFromWhatTheRunsHaveDone()
    {
        var model = new GatedModel(concurrency: 2);
        var queue = Queue(model, longestWait: TimeSpan.FromMilliseconds(10.5));
        var learn = Enqueue(queue);
        (await model.NextAsync()).Finish(milliseconds: 8);
        await learn.Soon();
        var replies = new List<Task<InferReply>> { Enqueue(queue) };
        Time.Advance(TimeSpan.FromMilliseconds(4));
        replies.AddRange([Enqueue(queue), Enqueue(queue), Enqueue(queue)]);

        var refused = (await Enqueue(queue).Soon()).Failure!;
        Time.Advance(TimeSpan.FromMilliseconds(2));
        replies.Add(Enqueue(queue));
        var refusedBehind = (await Enqueue(queue).Soon()).Failure!;

        Assert.Equal("model 'gated' version 1 would start this request in about 12 ms, the limit is 10 ms", refused.Message);
        Assert.Equal("model 'gated' version 1 would start this request in about 14 ms, the limit is 10 ms", refusedBehind.Message);
        for (var i = 0; i < 5; i++)
        {
            (await model.NextAsync()).Finish();
        }

        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
        Assert.Equal(0, queue.Running);
    }

    /// <summary>What a run of several left is in the queue again, and its caller can give up there.</summary>
    [Fact]
    public async Task CallerGivesUp_AfterARunOfSeveralHasLeftItsRequest_IsAnsweredAtOnce()
    {
        var model = new GatedModel(concurrency: 1) { Batching = new BatchingSettings { MaxSize = 8 } };
        var queue = Queue(model);
        using var giveUp = new CancellationTokenSource();
        var first = Enqueue(queue);
        var run = await model.NextAsync();
        var (second, third) = (Enqueue(queue), Enqueue(queue, cancellationToken: giveUp.Token));
        run.Finish();
        (await model.NextAsync()).Fail(new InvalidOperationException("together"));
        var alone = await model.NextAsync();
        Assert.Equal(1, queue.Waiting);

        await giveUp.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await third.Soon()).Failure!.Code);
        Assert.Equal(0, queue.Waiting);
        alone.Finish();
        Assert.All(await Task.WhenAll(first, second).Soon(), static reply => Assert.True(reply.Succeeded));
        await queue.DrainAsync().Soon();
        var after = await Metrics.ScrapeAsync();
        Assert.Equal(0, after["cluster_waiting_requests{name=gated,version=1}"]);
        Assert.Equal(0, after["ovms_current_requests{name=gated,version=1}"]);
    }

    private static Task<InferReply> Enqueue(ReplicaQueue queue, int bytes = 1, CancellationToken cancellationToken = default) =>
        queue.EnqueueAsync(new InferRequest { Message = PayloadBuffer.CopyOf(new byte[bytes]) }, cancellationToken).AsTask();
}
