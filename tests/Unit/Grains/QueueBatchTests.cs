using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Which requests have a slot together, and in which order.</summary>
public sealed class QueueBatchTests : ReplicaQueueTestBase
{
    [Fact]
    public async Task Arrived_WhileTheSlotIsTaken_RunTogetherAndTheFirstDidNotWait()
    {
        var model = Model(new BatchingSettings { MaxSize = 4 });
        var queue = Queue(model);
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0) };
        var first = await model.NextAsync();
        replies.AddRange([Enqueue(queue, 1), Enqueue(queue, 2, rows: 2), Enqueue(queue, 3), Enqueue(queue, 4, rows: 9), Enqueue(queue, 5)]);
        Assert.Equal([0], first.Numbers);
        first.Finish();

        // Four rows at most; a request of more runs by itself, and what came later does not pass it.
        Assert.Equal("1 2 3", await RunAsync(model));
        Assert.Equal("4", await RunAsync(model));
        Assert.Equal("5", await RunAsync(model));
        var answers = await Task.WhenAll(replies).Soon();

        Assert.Equal([0, 1, 2, 3, 4, 5], answers.Select(static reply => (int)reply.Message!.Span[0]));
        var counted = Statistics;
        Assert.Equal((4L, 6L), (counted.ExecutionCount, counted.Success.Count));
        Assert.Equal(1, counted.Batches[4].Infer.Count);
        Assert.Equal(6, Totals.Runs);
    }

    [Fact]
    public async Task OneOfThem_DoesNotFit_RunsByItselfAndAllAreAnswered()
    {
        var model = Model(new BatchingSettings { MaxSize = 8 });
        model.Unfit.Add(2);
        var queue = Queue(model);
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0) };
        var first = await model.NextAsync();
        replies.AddRange([Enqueue(queue, 1), Enqueue(queue, 2), Enqueue(queue, 3)]);
        first.Finish();

        Assert.Equal("1 3", await RunAsync(model));
        Assert.Equal("2", await RunAsync(model));
        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
        await queue.DrainAsync().Soon();
    }

    [Fact]
    public async Task RunOfThem_Fails_EachRunsByItselfAndOnlyTheWrongOneFails()
    {
        var model = Model(new BatchingSettings { MaxSize = 8 });
        var queue = Queue(model);
        var first = Enqueue(queue, 0);
        var run = await model.NextAsync();
        var (one, two) = (Enqueue(queue, 1), Enqueue(queue, 2));
        run.Finish();
        (await model.NextAsync()).Fail(new InvalidOperationException("together"));
        (await model.NextAsync()).Finish();
        (await model.NextAsync()).Fail(new ServingException(Failure.Internal("this one")));

        Assert.True((await first.Soon()).Succeeded);
        Assert.True((await one.Soon()).Succeeded);
        Assert.Equal("this one", (await two.Soon()).Failure!.Message);
        await queue.DrainAsync().Soon();
    }

    [Fact]
    public async Task Delay_SlotIsFree_WaitsForOthersAndNoLonger()
    {
        var model = Model(new BatchingSettings { MaxSize = 4, MaxDelay = TimeSpan.FromMilliseconds(5) });
        var queue = Queue(model);
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0) };
        Time.Advance(TimeSpan.FromMilliseconds(3));
        replies.Add(Enqueue(queue, 1));
        Assert.False(model.HasMore);
        Time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal("0 1", await RunAsync(model));

        // A full run waits for nothing.
        replies.AddRange([Enqueue(queue, 2, rows: 2), Enqueue(queue, 3, rows: 2)]);
        Assert.Equal("2 3", await RunAsync(model));
        replies.Add(Enqueue(queue, 4));
        var drained = queue.DrainAsync();
        Assert.Equal("4", await RunAsync(model));
        await drained.Soon();
        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public async Task Delay_RequestWithADeadline_WaitsNoLongerThanItAllows()
    {
        var model = Model(new BatchingSettings { MaxSize = 4, MaxDelay = TimeSpan.FromMilliseconds(500) });
        var queue = Queue(model);
        var reply = Enqueue(queue, 0, timeout: TimeSpan.FromMilliseconds(40));
        Assert.False(model.HasMore);

        Time.Advance(TimeSpan.FromMilliseconds(40));

        Assert.Equal("0", await RunAsync(model));
        Assert.True((await reply.Soon()).Succeeded);
    }

    [Fact]
    public async Task Low_Priorities_ThatFillTheQueue_DoNotKeepOutTheHigher()
    {
        var model = new GatedModel(concurrency: 1) { Levels = 2 };
        var queue = Queue(model, limit: 2);
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0) };
        var first = await model.NextAsync();
        replies.AddRange([Enqueue(queue, 1, level: 1), Enqueue(queue, 2, level: 1)]);

        Assert.Equal(StatusCode.ResourceExhausted, (await Enqueue(queue, 3, level: 1).Soon()).Failure!.Code);
        replies.Add(Enqueue(queue, 4, level: 0));
        first.Finish();

        Assert.Equal("4", await RunAsync(model));
        Assert.Equal("1", await RunAsync(model));
        Assert.Equal("2", await RunAsync(model));
        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public async Task Threads_HaveEnded_WhatWaitedIsToldSo()
    {
        var model = Model(new BatchingSettings { MaxSize = 4, MaxDelay = TimeSpan.FromMilliseconds(5) });
        var queue = Queue(model);
        var reply = Enqueue(queue, 0);
        Workers.Dispose();

        Time.Advance(TimeSpan.FromMilliseconds(5));

        Assert.Equal(FailureKind.Moved, (await reply.Soon()).Failure!.Kind);
        await queue.DrainAsync().Soon();
    }

    [Fact]
    public async Task Preferred_Sizes_AreFormedWhereTheyCanBe()
    {
        var model = Model(new BatchingSettings { MaxSize = 8, PreferredSizes = [2, 4] });
        var queue = Queue(model);
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0) };
        var first = await model.NextAsync();
        replies.AddRange(Enumerable.Range(1, 7).Select(number => Enqueue(queue, number)));
        first.Finish();

        Assert.Equal("1 2 3 4", await RunAsync(model));
        Assert.Equal("5 6", await RunAsync(model));
        Assert.Equal("7", await RunAsync(model));
        await Task.WhenAll(replies).Soon();
    }

    [Fact]
    public async Task Priorities_TheHigherRunsFirst_AndItsWaitIsReckonedWithoutTheOthers()
    {
        var model = new GatedModel(concurrency: 1) { Levels = 3 };
        var queue = Queue(model);
        var warm = Enqueue(queue, 9);
        (await model.NextAsync()).Finish(milliseconds: 100);
        await warm.Soon();
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0) };
        var first = await model.NextAsync();
        replies.AddRange([Enqueue(queue, 1, level: 2), Enqueue(queue, 2, level: 1), Enqueue(queue, 3, level: 0), Enqueue(queue, 4, level: 1)]);

        // The last of four would start after 500 ms, the first of all after 200.
        var late = await Enqueue(queue, 5, level: 2, timeout: TimeSpan.FromMilliseconds(350)).Soon();
        replies.Add(Enqueue(queue, 6, level: 0, timeout: TimeSpan.FromMilliseconds(350)));
        Assert.Equal(StatusCode.DeadlineExceeded, late.Failure!.Code);
        first.Finish();

        foreach (var next in new[] { 3, 6, 2, 4, 1 })
        {
            Assert.Equal($"{next}", await RunAsync(model));
        }

        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public async Task Wait_ExpectedToBeLongerThanTheLimit_IsRefusedAtOnceWithAHint()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, longestWait: TimeSpan.FromMilliseconds(250));
        var warm = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds: 100);
        await warm.Soon();
        var replies = new[] { Enqueue(queue, 1), Enqueue(queue, 2), Enqueue(queue, 3) };

        var refused = await Enqueue(queue, 4).Soon();

        Assert.Equal(StatusCode.ResourceExhausted, refused.Failure!.Code);
        Assert.Equal("model 'gated' version 1 would start this request in about 300 ms, the limit is 250 ms", refused.Failure.Message);
        Assert.Equal(50, refused.Failure.RetryAfter!.Value.TotalMilliseconds, 0);
        for (var i = 0; i < replies.Length; i++)
        {
            await RunAsync(model);
        }

        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public async Task Alone_IsARunThatNoOtherIsBeside()
    {
        var (one, other) = (new GatedModel(concurrency: 2), new GatedModel(concurrency: 2));
        var (queue, beside) = (Queue(one), Queue(other));
        var first = Enqueue(queue, 0);
        var run = await one.NextAsync();
        var second = Enqueue(beside, 1);
        (await other.NextAsync()).Finish();
        await second.Soon();
        run.Finish();
        await first.Soon();
        var third = Enqueue(beside, 2);
        (await other.NextAsync()).Finish();
        await third.Soon();

        Assert.Equal([true], one.Alone);
        Assert.Equal([false, true], other.Alone);
    }

    private static GatedModel Model(BatchingSettings batching) => new(concurrency: 1) { Batching = batching };

    /// <summary>The first bytes of the requests of the next run, which ends.</summary>
    private static async Task<string> RunAsync(GatedModel model)
    {
        var run = await model.NextAsync();
        run.Finish(rows: run.Rows);
        return string.Join(' ', run.Numbers);
    }

    private static Task<InferReply> Enqueue(ReplicaQueue queue, int number, int rows = 1, int level = 0, TimeSpan? timeout = null) =>
        queue.EnqueueAsync(new InferRequest { Message = PayloadBuffer.CopyOf([(byte)number, (byte)rows, (byte)level]), Timeout = timeout }, CancellationToken.None).AsTask();
}
