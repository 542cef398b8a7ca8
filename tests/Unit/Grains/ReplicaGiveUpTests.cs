using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Grains.Replicas;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ReplicaGiveUpTests : ReplicaQueueTestBase
{
    /// <summary>Orleans drops an answer whose caller has gone, and what it holds would be left to the collector.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Infer_RunEnds_ItsAnswerIsGivenBackWhereTheCallerHasGone(bool hasGone)
    {
        var model = new GatedModel(1);
        var replica = new Replica(
            new ModelReplicaId("gated", 1, 0, States.At(1)), null!, new CacheEntry("gated/1/0", 1, 1, 0, Time), null!, Queue(model), null!, null!, null, Time, null!);
        using var giveUp = new CancellationTokenSource();
        using var message = PayloadBuffer.CopyOf([7]);
        var answering = replica.InferAsync(new InferRequest { Message = message }, giveUp.Token).AsTask();
        var run = await NextAsync(model, 7);
        if (hasGone)
        {
            await giveUp.CancelAsync();
        }

        run.Finish();
        var reply = await answering.Soon();

        Assert.Equal(hasGone ? StatusCode.Cancelled : StatusCode.Ok, reply.Failure?.Code ?? StatusCode.Ok);
        Assert.Equal(hasGone, Record.Exception(() => model.Answer!.Memory) is ObjectDisposedException);
        Assert.Equal(1, Totals.Runs);
        reply.Message?.Dispose();
    }
}
