using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Grains.Replicas;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Cluster.Unit.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class OwnerWeightTests : ReplicaQueueTestBase
{
    /// <summary>A registration keeps the weight of its day; requests carry the one that access.json says now.</summary>
    [Theory]
    [InlineData(1, 300, 300)]
    [InlineData(2, 300, 100)]
    public async Task Infer_WithAnotherWeight_ItsReplicaIsReckonedWithItWhereTheCallerOwnsIt(int caller, int weight, int expected)
    {
        using var metrics = new MetricsHost();
        var id = new ModelReplicaId("gated", 1, 0, States.At(1));
        var cache = new ReplicaCache(new ModelCacheOptions { Capacity = 1 << 30 }, new CacheMetrics(metrics.Registry), Time, NullLogger<ReplicaCache>.Instance);
        var spec = new ReplicaSpec(new ModelVersionSource(1, "", "r1"), ModelSettings.Default, VersionPolicy.LatestOne) { Owner = new CallerShare(1, 100) };
        var room = await cache.AdmitAsync(id, spec, static () => { }, TestContext.Current.CancellationToken);
        var model = new GatedModel(1);
        var replica = new Replica(id, null!, room, cache, Queue(model), null!, null!, null, Time, null!);
        using var message = PayloadBuffer.CopyOf([7]);

        var answering = replica.InferAsync(new InferRequest { Message = message, Share = new CallerShare(caller, weight) }, TestContext.Current.CancellationToken).AsTask();
        (await NextAsync(model, 7)).Finish();
        (await answering.Soon()).Message?.Dispose();

        Assert.Equal(new CallerShare(1, expected), room.Owner);
    }
}
