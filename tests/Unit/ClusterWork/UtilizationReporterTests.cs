using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Metrics;
using Cluster.Grains.Replicas;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Grains;
using Cluster.Unit.Serving;
using Xunit;

namespace Cluster.Unit.ClusterWork;

public sealed class UtilizationReporterTests
{
    [Fact]
    public async Task Tick_CopyWasUsed_TellsItsModelWhatItDid()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        var replica = Enter(bench, out var statistics);
        bench.Publish("m", Silos.A);
        using var reporter = bench.Reporter();
        await reporter.StartAsync(CancellationToken.None);
        for (var run = 0; run < 100; run++)
        {
            statistics.Succeeded(5_000_000, 0, new RunTimes(Input: 0, Infer: 3_000_000, Output: 0, Rows: 1));
            statistics.Executed(new RunTimes(Input: 0, Infer: 3_000_000, Output: 0, Rows: 1));
        }

        bench.Time.Advance(bench.Options.LoadReportInterval);

        var load = Assert.Single(bench.Grains.Model("m").Loads);
        Assert.Equal((replica.Id, 600.0, 100, TimeSpan.FromMilliseconds(3)), (load.Replica, load.RequestsPerMinute, load.Samples, load.MeanRunTime));

        bench.Time.Advance(bench.Options.LoadReportInterval);
        Assert.Single(bench.Grains.Model("m").Loads);

        // A pause does not count as time of little use.
        bench.Time.Advance(bench.Options.LoadReportInterval);
        statistics.Failed(1);
        bench.Time.Advance(bench.Options.LoadReportInterval);
        Assert.Equal(6.0, bench.Grains.Model("m").Loads.Last().RequestsPerMinute);
    }

    [Fact]
    public async Task Tick_IdleBesideAnother_TellsNowAndThen()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        Enter(bench, out _);
        bench.Publish("m", Silos.A, Silos.B);
        using var reporter = bench.Reporter();
        await reporter.StartAsync(CancellationToken.None);

        bench.Time.Advance(bench.Options.LoadReportInterval);
        Assert.Empty(bench.Grains.Model("m").Loads);
        bench.Time.Advance(bench.Options.IdleReportInterval);

        Assert.Equal(0, Assert.Single(bench.Grains.Model("m").Loads).RequestsPerMinute);
    }

    [Fact]
    public async Task Tick_ModelDoesNotWantTheReplica_EndsItAfterAWhile()
    {
        using var bench = new ClusterBench(Silos.A);
        var ended = 0;
        Enter(bench, out _, end: () => ended++);
        bench.States.Publish(States.Model("m", States.Unavailable(1, ServingReasons.Unloaded)));
        using var reporter = bench.Reporter();
        await reporter.StartAsync(CancellationToken.None);

        bench.Time.Advance(bench.Options.LoadReportInterval);
        bench.Time.Advance(bench.Options.OrphanAge - bench.Options.LoadReportInterval);
        Assert.Equal(0, ended);
        bench.Time.Advance(bench.Options.LoadReportInterval);

        Assert.Equal(1, ended);
    }

    [Fact]
    public async Task Tick_RunsThatDoNotEndHaveAllSlots_GivesTheReplicaUp()
    {
        using var bench = new ClusterBench(Silos.A);
        var (model, given) = (new GatedModel(1), 0);
        Enter(bench, out _, model: model, giveUp: () => given++);
        bench.Publish("m", Silos.A);
        using var reporter = bench.Reporter();
        await reporter.StartAsync(CancellationToken.None);
        var queue = bench.Queue!;
        var reply = queue.EnqueueAsync(new InferRequest { Message = PayloadBuffer.CopyOf([1]) }, CancellationToken.None).AsTask();
        var run = await model.NextAsync();

        bench.Time.Advance(queue.StuckAfter);
        Assert.Equal((1, 0), (model.Ended.Count, given));
        bench.Time.Advance(bench.Options.LoadReportInterval);

        Assert.Equal((1, 1), (model.Ended.Count, given));
        run.Finish();
        await reply.Soon();
    }

    private static LocalReplica Enter(ClusterBench bench, out ReplicaStatisticsRecorder statistics, Action? end = null, GatedModel? model = null, Action? giveUp = null)
    {
        var id = new ModelReplicaId("m", 1, 0, Silos.A);
        Assert.True(bench.Cache.TryClaim(id, new ModelVersionSource(1, "/none/model.onnx", "r"), out var room));
        statistics = new ReplicaStatisticsRecorder(bench.Time);
        var metrics = new ReplicaMetricsFactory(bench.Registry).Create("m", 1, 1, 1);
        var queue = new ReplicaQueue(model ?? new GatedModel(1), 1, null, bench.Workers, statistics, metrics, bench.Time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance)
        {
            StuckAfter = bench.Options.LoadReportInterval,
        };
        bench.Queue = queue;
        var replica = new LocalReplica(id, new ReplicaActivity(id, room!, queue, statistics, bench.Time) { End = end ?? (() => { }), GiveUp = giveUp });
        bench.Replicas.Add(replica);
        return replica;
    }
}
