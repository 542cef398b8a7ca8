using System.Runtime.CompilerServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Callers that give up at the very moment at which something else becomes of their request.</summary>
public sealed class QueueCancellationTests : ReplicaQueueTestBase
{
    /// <summary>The caller's thread waits for the queue's lock while the one that holds it answers the request.</summary>
    [Fact]
    public async Task Drain_ThreadsHaveEndedAndTheCallerGivesUpMeanwhile_IsAnswered()
    {
        var model = new GatedModel(1) { Batching = new BatchingSettings { MaxSize = 4, MaxDelay = TimeSpan.FromMilliseconds(500) } };
        var queue = Queue(model);
        using var giveUp = new CancellationTokenSource();
        var answer = Enqueue(queue, 1, cancellationToken: giveUp.Token);
        Assert.Equal(1, queue.Waiting);
        Workers.Dispose();
        var callers = new Thread(giveUp.Cancel) { IsBackground = true };
        model.OnBatching = () =>
        {
            // Within the queue's lock.
            model.OnBatching = null;
            callers.Start();
            SpinWait.SpinUntil(() => callers.ThreadState.HasFlag(ThreadState.WaitSleepJoin), Wait.Limit);
        };

        await Task.Run(() => queue.DrainAsync()).Soon();

        Assert.Equal(StatusCode.Unavailable, (await answer.Soon()).Failure!.Code);
        Assert.True(callers.Join(Wait.Limit));
    }

    /// <summary>The token of a stream of requests may live for days.</summary>
    [Fact]
    public void Watch_JobThatHasHadItsSlot_LeavesNothingWithTheToken()
    {
        using var caller = new CancellationTokenSource();

        var job = WatchLate(caller.Token);
        GC.Collect();

        Assert.False(job.IsAlive);
        GC.KeepAlive(caller);
    }

    /// <summary>A method of its own, so that nothing of its caller refers to the job.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference WatchLate(CancellationToken cancellation)
    {
        using var message = PayloadBuffer.CopyOf([1]);
        var job = new InferenceJob(Queue(new GatedModel(1)), new InferRequest { Message = message }, RequestFacts.Plain, 0, cancellation);
        job.Unwatch();
        job.WatchCancellation();
        return new WeakReference(job);
    }
}
