using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Replicas;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Microsoft.Extensions.Logging.Abstractions;
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

    /// <summary>It is not about to come free, so no load may wait for it.</summary>
    [Fact]
    public async Task End_RunIsStuck_ItsMemoryIsHeldAndOthersAreRefusedAtOnceUntilItEnds()
    {
        using var bench = new OnnxBench();
        var loaded = await bench.OpenAsync("identity_fp32");
        var (model, limit) = (new GatedModel(1), TimeSpan.FromMinutes(1));
        var cache = new ReplicaCache(new ModelCacheOptions { Capacity = 1000, BaseBytes = 0 }, new CacheMetrics(Metrics.Registry), Time, NullLogger<ReplicaCache>.Instance);
        var source = new ModelVersionSource(1, "model.onnx", "r1") { Bytes = 600 };
        var id = new ModelReplicaId("gated", 1, 0, States.At(1));
        var room = await AdmitAsync("gated");
        cache.Loaded(room, "gated", source, 600, TimeSpan.FromMilliseconds(1));
        var queue = Queue(model, stuckAfter: limit);
        using var metrics = new ReplicaMetricsFactory(Metrics.Registry).Create("gated", 1, 1, 1);
        var replica = new Replica(id, loaded, room, cache, queue, metrics, null!, null, Time, null!);
        using var message = PayloadBuffer.CopyOf([7]);
        var answering = replica.InferAsync(new InferRequest { Message = message }, CancellationToken.None).AsTask();
        var run = await NextAsync(model, 7);
        Time.Advance(limit);
        queue.Watch.Look();
        Assert.True(queue.Watch.Look());

        var ending = replica.EndAsync(sendsAway: true);

        var refused = await Assert.ThrowsAsync<ServingException>(() => AdmitAsync("other").Soon());
        Assert.Equal(StatusCode.ResourceExhausted, refused.Failure.Code);
        run.Finish();
        (await answering.Soon()).Message?.Dispose();
        await ending.Soon();
        await AdmitAsync("other").Soon();

        Task<CacheEntry> AdmitAsync(string name) => cache.AdmitAsync(id with { Model = name }, new ReplicaSpec(source, ModelSettings.Default, VersionPolicy.LatestOne), static () => { }, CancellationToken.None);
    }
}
