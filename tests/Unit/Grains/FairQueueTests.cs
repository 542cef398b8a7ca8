using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>How callers share a queue. Requests below 100 are of one caller, those from 100 of another.</summary>
public sealed class FairQueueTests : ReplicaQueueTestBase
{
    private static readonly TimeSpan RunTime = TimeSpan.FromMilliseconds(10);

    [Fact]
    public async Task Newcomer_BehindManyOfAnotherCaller_IsNext()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var many = Enumerable.Range(0, 64).Select(number => Enqueue(queue, number)).ToList();
        await RunAsync(model, 0);
        var (run, newcomer) = (await model.NextAsync(), Enqueue(queue, 100));
        Time.Advance(RunTime);
        run.Finish();

        await RunAsync(model, 100);
        Assert.True((await newcomer.Soon()).Succeeded);

        // The others follow in their order.
        for (var number = 2; number < 64; number++)
        {
            await RunAsync(model, number);
        }

        Assert.All(await Task.WhenAll(many).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Theory]
    [InlineData(1, 300, 100, 60)]
    [InlineData(1, 0, 100, 40)]
    [InlineData(4, 300, 100, 60)]
    [InlineData(4, 10_000, 1, 79)]
    public async Task Weights_OfTwoCallersThatAlwaysWait_DivideTheRuns(int slots, int weight, int otherWeight, int expected)
    {
        var model = new GatedModel(slots);
        var queue = Queue(model, limit: 1000);
        var replies = Enumerable.Range(0, slots).Select(_ => Enqueue(queue, 99)).ToList();
        replies.AddRange(Enumerable.Range(0, 90).SelectMany(number => new[] { Enqueue(queue, number, weight), Enqueue(queue, 100 + number, otherWeight) }));
        var ran = new List<int>();
        var under = new Queue<GatedRun>();
        for (var i = 0; i < slots; i++)
        {
            under.Enqueue(await model.NextAsync());
        }

        for (var i = 0; i < 80; i++)
        {
            Time.Advance(RunTime);
            under.Dequeue().Finish(10 * slots);
            under.Enqueue(await model.NextAsync());
            ran.Add(under.Last().Number);
        }

        Assert.InRange(ran.Count(static number => number < 100), expected - 1, expected + 1);
        await EndAsync(model, under, replies, replies.Count - ran.Count);
    }

    [Fact]
    public async Task Runs_ThatTakeThreeTimesAsLong_AreAThirdAsMany()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, limit: 1000);
        var replies = Enumerable.Range(0, 60).SelectMany(number => new[] { Enqueue(queue, number), Enqueue(queue, 100 + number) }).ToList();
        var ran = new List<int>();
        var run = await model.NextAsync();
        for (var i = 0; i < 40; i++)
        {
            Time.Advance(run.Number < 100 ? 3 * RunTime : RunTime);
            run.Finish();
            run = await model.NextAsync();
            ran.Add(run.Number);
        }

        Assert.InRange(ran.Count(static number => number >= 100), 29, 31);
        await EndAsync(model, new Queue<GatedRun>([run]), replies, replies.Count - ran.Count);
    }

    [Fact]
    public async Task Priority_OfOneCaller_GoesBeforeTheShareOfAnother()
    {
        var model = new GatedModel(concurrency: 1) { Levels = 2 };
        var queue = Queue(model);
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0), Enqueue(queue, 100, level: 1), Enqueue(queue, 1), Enqueue(queue, 2), Enqueue(queue, 101, level: 1), Enqueue(queue, 3, level: 1) };

        foreach (var next in new[] { 0, 1, 2, 100, 3, 101 })
        {
            await RunAsync(model, next);
        }

        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public async Task Batch_IsMadeOfBothCallersInTheSameOrder()
    {
        var model = new GatedModel(concurrency: 1) { Batching = new BatchingSettings { MaxSize = 4 } };
        var queue = Queue(model);
        var replies = new List<Task<InferReply>> { Enqueue(queue, 0) };
        var first = await model.NextAsync();
        replies.AddRange([Enqueue(queue, 1), Enqueue(queue, 2), Enqueue(queue, 3), Enqueue(queue, 4), Enqueue(queue, 100), Enqueue(queue, 101)]);
        first.Finish();

        var both = await model.NextAsync();
        Time.Advance(RunTime);
        both.Finish(rows: 4);
        var rest = await model.NextAsync();
        rest.Finish(rows: 2);

        Assert.Equal([1, 100, 2, 101], both.Numbers);
        Assert.Equal([3, 4], rest.Numbers);
        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public async Task Full_OfOneCaller_TakesAnotherInPlaceOfItsNewestUntilBothHaveTheirShare()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, limit: 4);
        var replies = Enumerable.Range(0, 5).Select(number => Enqueue(queue, number)).ToList();
        var run = await model.NextAsync();

        var taken = new[] { Enqueue(queue, 100), Enqueue(queue, 101) };
        var displaced = await Task.WhenAll(replies[4], replies[3]).Soon();
        var beyond = await Enqueue(queue, 102).Soon();
        var own = await Enqueue(queue, 5).Soon();

        Assert.All(displaced, static reply => Assert.Equal((StatusCode.ResourceExhausted, FailureKind.Full), (reply.Failure!.Code, reply.Failure.Kind)));
        Assert.Equal("model 'gated' version 1 has its queue full: this request gave way to one of a client with less of the queue, by their weights", displaced[0].Failure!.Message);
        Assert.All([beyond, own], static reply => Assert.StartsWith("model 'gated' version 1 has its queue full: 4 requests wait", reply.Failure!.Message, StringComparison.Ordinal));
        Assert.NotNull(displaced[0].Failure!.RetryAfter);
        run.Finish();
        for (var i = 0; i < 4; i++)
        {
            (await model.NextAsync()).Finish();
        }

        Assert.All(await Task.WhenAll(replies[..3].Concat(taken)).Soon(), static reply => Assert.True(reply.Succeeded));
        await queue.DrainAsync().Soon();
        var metrics = await Metrics.ScrapeAsync();
        Assert.Equal(4, metrics["cluster_rejected_requests{name=gated,reason=queue_full,version=1}"]);
        Assert.Equal(0, metrics["cluster_waiting_requests{name=gated,version=1}"]);
    }

    [Fact]
    public async Task Full_OfBytes_TakesNoMoreThanTheCallersShare()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model, maxBytes: 90);
        var replies = Enumerable.Range(0, 4).Select(number => Enqueue(queue, number, bytes: 30)).ToList();
        var run = await model.NextAsync();

        var refused = await Enqueue(queue, 100, bytes: 70).Soon();
        Assert.Equal(3, queue.Waiting);
        var taken = Enqueue(queue, 100, bytes: 40);
        var displaced = await Task.WhenAll(replies[2], replies[3]).Soon();

        Assert.Equal(StatusCode.ResourceExhausted, refused.Failure!.Code);
        Assert.All(displaced, static reply => Assert.Equal(StatusCode.ResourceExhausted, reply.Failure!.Code));
        run.Finish();
        (await model.NextAsync()).Finish();
        (await model.NextAsync()).Finish();
        Assert.All(await Task.WhenAll(replies[0], replies[1], taken).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public async Task Deadline_IsReckonedWithWhatRunsBeforeTheCaller()
    {
        var model = new GatedModel(concurrency: 1);
        var queue = Queue(model);
        var learn = Enqueue(queue, 0);
        (await model.NextAsync()).Finish(milliseconds: 100);
        await learn.Soon();
        var replies = Enumerable.Range(0, 10).Select(number => Enqueue(queue, number)).ToList();
        var limit = TimeSpan.FromMilliseconds(350);

        var refused = await Enqueue(queue, 10, timeout: limit).Soon();
        replies.Add(Enqueue(queue, 100, timeout: limit));

        Assert.Equal(StatusCode.DeadlineExceeded, refused.Failure!.Code);
        await RunAsync(model, 0);
        await RunAsync(model, 1);
        await RunAsync(model, 100);
        for (var number = 2; number < 10; number++)
        {
            await RunAsync(model, number);
        }

        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    [Fact]
    public void Callers_WhoseShareTheOthersHaveHadToo_AreForgottenWhileBatchesAreMade()
    {
        var queue = Queue(new GatedModel(1));
        var level = new FairLevel();
        for (var i = 0; i < 200; i++)
        {
            level.Add(Job(0));
        }

        for (var caller = 1; caller <= 50; caller++)
        {
            level.Add(Job(caller));
            foreach (var job in level.InOrder(rowCost: 1000).Take(3).ToList())
            {
                level.Take(job, rowCost: 1000);
            }
        }

        Assert.Equal(100, level.Count);
        Assert.InRange(level.Callers, 1, 4);

        InferenceJob Job(int caller) =>
            new(queue, new InferRequest { Message = PayloadBuffer.CopyOf([1]), Share = new CallerShare(caller, 100) }, RequestFacts.Plain, 0, default);
    }

    /// <summary>What a request takes in the list that has its place, and nothing for the sharing.</summary>
    [Fact]
    public void Allocations_OfOneCallerAlone_AreThoseOfAList()
    {
        var queue = Queue(new GatedModel(1));
        var request = new InferRequest { Message = PayloadBuffer.CopyOf([1]), Share = new CallerShare(7, 300) };
        var jobs = Enumerable.Range(0, 3).Select(_ => new InferenceJob(queue, request, RequestFacts.Plain, 0, default)).ToArray();
        var (line, list) = (new WaitingLine(levels: 1), new LinkedList<InferenceJob>());

        var expected = Allocations.Of(() =>
        {
            foreach (var job in jobs)
            {
                list.AddLast(job);
            }

            list.Clear();
        });
        var allocated = Allocations.Of(() =>
        {
            foreach (var job in jobs)
            {
                line.Add(job);
            }

            while (line.TryTake(out _))
            {
            }
        });

        Assert.InRange(allocated, 0, expected);
    }

    private async Task RunAsync(GatedModel model, int number)
    {
        var run = await NextAsync(model, number);
        Time.Advance(RunTime);
        run.Finish();
    }

    /// <summary>Ends the runs that are under way, and as many more as are left.</summary>
    private static async Task EndAsync(GatedModel model, Queue<GatedRun> under, List<Task<InferReply>> replies, int left)
    {
        for (; left > 0; left--)
        {
            (under.Count > 0 ? under.Dequeue() : await model.NextAsync()).Finish();
        }

        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
    }

    /// <param name="bytes">0 for as many as number, rows and level take.</param>
    private static Task<InferReply> Enqueue(ReplicaQueue queue, int number, int weight = 0, int level = 0, int bytes = 0, TimeSpan? timeout = null)
    {
        byte[] content = [(byte)number, 1, (byte)level];
        var message = PayloadBuffer.CopyOf(bytes == 0 ? content : [.. content, .. new byte[bytes - content.Length]]);
        var share = new CallerShare(number < 100 ? 1 : 2, weight);
        return queue.EnqueueAsync(new InferRequest { Message = message, Timeout = timeout, Share = share }, CancellationToken.None).AsTask();
    }
}
