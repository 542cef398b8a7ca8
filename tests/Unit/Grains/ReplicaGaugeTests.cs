using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Replicas;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ReplicaGaugeTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly MetricsHost _host = new();
    private readonly InferenceWorkers _workers;
    private readonly ReplicaMetricsFactory _metrics;

    public ReplicaGaugeTests()
    {
        _workers = new InferenceWorkers(new InferenceOptions { Threads = 1 }, _time);
        _metrics = new ReplicaMetricsFactory(_host.Registry);
    }

    public void Dispose()
    {
        _workers.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void Read_OfAReplicaThatFollowsAnother_HasNothingOfTheOther()
    {
        using var old = _metrics.Create("m", 1, 1, 1);
        for (var request = 0; request < 1000; request++)
        {
            Run(old, TimeSpan.FromSeconds(1));
            old.Rejected(RejectionReason.QueueFull);
        }

        using var replica = _metrics.Create("m", 1, 1, 1);
        var gauge = Gauge(replica);
        old.Dispose();
        _time.Advance(TimeSpan.FromSeconds(2));
        var fresh = gauge.Read();

        Assert.Equal((0, 0, null, null), (fresh.Requests, fresh.Rejected, fresh.RunP99, fresh.WaitP99));
        Assert.Equal((null, TimeSpan.FromSeconds(2)), (fresh.Idle, fresh.Window));

        Run(replica, TimeSpan.FromMilliseconds(1));
        replica.Rejected(RejectionReason.Deadline);
        var used = gauge.Read();

        Assert.Equal((1, 1), (used.Requests, used.Rejected));
        Assert.InRange(used.RunP99!.Value, TimeSpan.Zero, TimeSpan.FromMilliseconds(2));
        Assert.NotNull(used.Idle);
    }

    [Fact]
    public void Read_AfterTwoWindows_HasTheLastTenSecondsOrMore()
    {
        using var replica = _metrics.Create("m", 1, 1, 1);
        var gauge = Gauge(replica);
        foreach (var requests in new[] { 7, 5, 3 })
        {
            for (var request = 0; request < requests; request++)
            {
                Run(replica, TimeSpan.Zero);
            }

            _time.Advance(TimeSpan.FromSeconds(10));
            gauge.Read();
        }

        var figures = gauge.Read();

        Assert.Equal((3, TimeSpan.FromSeconds(10)), (figures.Requests, figures.Window));
    }

    private static void Run(ReplicaMetrics metrics, TimeSpan time)
    {
        metrics.RequestStarted(time);
        metrics.RunStarted(1);
        metrics.RunEnded(time);
        metrics.RequestEnded();
    }

    private ReplicaGauge Gauge(ReplicaMetrics metrics)
    {
        var queue = new ReplicaQueue(new GatedModel(concurrency: 1), 1, longestWait: null, _workers, new ReplicaStatisticsRecorder(_time), metrics, _time, NullLogger.Instance);
        return new ReplicaGauge(new ModelReplicaId("m", 1, 1, SiloAddress.Zero), new CacheEntry("m", 1, 1, 0, _time), queue, metrics, _time);
    }
}
