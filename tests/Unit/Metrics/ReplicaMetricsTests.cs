using Cluster.Grains.Metrics;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class ReplicaMetricsTests
{
    [Fact]
    public async Task Create_NewCopy_SeriesAreThereAtZero()
    {
        using var host = new MetricsHost();
        using var replica = new ReplicaMetricsFactory(host.Registry).Create("digits", 2, streams: 4, slots: 8);

        var scrape = await host.ScrapeAsync();

        foreach (var gauge in new[] { "ovms_current_requests", "ovms_infer_req_active", "cluster_waiting_requests" })
        {
            Assert.Equal(0, scrape[gauge + "{name=digits,version=2}"]);
            Assert.Equal("gauge", scrape.Types[gauge]);
        }

        foreach (var histogram in new[] { "ovms_inference_time_us", "ovms_wait_for_infer_req_time_us", "cluster_batch_rows" })
        {
            Assert.Equal(0, scrape[histogram + "_count{name=digits,version=2}"]);
            Assert.Equal("histogram", scrape.Types[histogram]);
        }

        foreach (var reason in new[] { "queue_full", "deadline", "cancelled" })
        {
            Assert.Equal(0, scrape[$"cluster_rejected_requests{{name=digits,reason={reason},version=2}}"]);
        }

        Assert.Equal(4, scrape["ovms_streams{name=digits,version=2}"]);
        Assert.Equal(8, scrape["ovms_infer_req_queue_size{name=digits,version=2}"]);
        Assert.Equal(1, scrape["cluster_models_loaded"]);
        Assert.Equal("counter", scrape.Types["cluster_rejected_requests"]);
    }

    [Fact]
    public async Task Recording_LifeOfRequests_ShowsInEveryFamily()
    {
        using var host = new MetricsHost();
        using var replica = new ReplicaMetricsFactory(host.Registry).Create("m", 1, streams: 1, slots: 1);
        replica.RequestQueued();
        replica.RequestQueued();
        replica.RequestDequeued();
        replica.RequestStarted(TimeSpan.FromMicroseconds(17));
        replica.RequestStarted(TimeSpan.Zero);
        replica.RunStarted(3);
        replica.RunStarted(1);
        var during = await host.ScrapeAsync();
        replica.RunEnded(TimeSpan.FromMicroseconds(500));
        replica.RunFailed();
        replica.RequestEnded();
        replica.RequestEnded();
        replica.RequestDequeued();
        replica.Rejected(RejectionReason.QueueFull);
        replica.Rejected(RejectionReason.Deadline);
        replica.Rejected(RejectionReason.Deadline);
        replica.Rejected(RejectionReason.Cancelled);

        var after = await host.ScrapeAsync();

        Assert.Equal(1, during["cluster_waiting_requests{name=m,version=1}"]);
        Assert.Equal(2, during["ovms_current_requests{name=m,version=1}"]);
        Assert.Equal(2, during["ovms_infer_req_active{name=m,version=1}"]);
        Assert.Equal(4, during["cluster_batch_rows_sum{name=m,version=1}"]);
        Assert.Equal(0, after["cluster_waiting_requests{name=m,version=1}"]);
        Assert.Equal(0, after["ovms_current_requests{name=m,version=1}"]);
        Assert.Equal(0, after["ovms_infer_req_active{name=m,version=1}"]);
        Assert.Equal(1, after["ovms_wait_for_infer_req_time_us_bucket{name=m,version=1,le=10}"]);
        Assert.Equal(2, after["ovms_wait_for_infer_req_time_us_bucket{name=m,version=1,le=18}"]);
        Assert.Equal(500, after["ovms_inference_time_us_sum{name=m,version=1}"]);
        Assert.Equal(1, after["ovms_inference_time_us_count{name=m,version=1}"]);
        Assert.Equal(1, after["cluster_rejected_requests{name=m,reason=queue_full,version=1}"]);
        Assert.Equal(2, after["cluster_rejected_requests{name=m,reason=deadline,version=1}"]);
        Assert.Equal(1, after["cluster_rejected_requests{name=m,reason=cancelled,version=1}"]);
    }

    [Fact]
    public async Task Dispose_OneOfTwoCopies_TakesItsShareOutAndTheLastTheSeries()
    {
        using var host = new MetricsHost();
        var factory = new ReplicaMetricsFactory(host.Registry);
        var first = factory.Create("m", 1, streams: 2, slots: 3);
        var second = factory.Create("m", 1, streams: 4, slots: 5);
        first.RequestStarted(TimeSpan.Zero);
        second.RequestStarted(TimeSpan.Zero);
        var both = await host.ScrapeAsync();

        first.Dispose();
        first.Dispose();
        first.RequestEnded();
        var one = await host.ScrapeAsync();
        second.Dispose();
        second.RequestEnded();
        var none = await host.ScrapeAsync();

        Assert.Equal(6, both["ovms_streams{name=m,version=1}"]);
        Assert.Equal(2, both["ovms_current_requests{name=m,version=1}"]);
        Assert.Equal(4, one["ovms_streams{name=m,version=1}"]);
        Assert.Equal(5, one["ovms_infer_req_queue_size{name=m,version=1}"]);
        Assert.Equal(1, one["ovms_current_requests{name=m,version=1}"]);
        Assert.Equal(2, one["ovms_wait_for_infer_req_time_us_count{name=m,version=1}"]);
        Assert.Equal(0, none["cluster_models_loaded"]);
        Assert.DoesNotContain(none.Samples, sample => sample.Contains("name=m", StringComparison.Ordinal));
    }

    [Fact]
    public void Recording_WholeRequest_AllocatesNothing()
    {
        using var host = new MetricsHost();
        using var replica = new ReplicaMetricsFactory(host.Registry).Create("m", 1, streams: 1, slots: 1);

        Assert.Equal(0, Allocations.Of(() =>
        {
            replica.RequestQueued();
            replica.RequestDequeued();
            replica.RequestStarted(TimeSpan.FromMicroseconds(123));
            replica.RunStarted(1);
            replica.RunEnded(TimeSpan.FromMicroseconds(456));
            replica.RequestEnded();
            replica.Rejected(RejectionReason.Cancelled);
        }));
    }

    [Fact]
    public async Task Loads_OfAModel_AreCountedUntilForgotten()
    {
        using var host = new MetricsHost();
        var loads = new LoadMetrics(host.Registry);
        loads.Failed("m");
        var first = await host.ScrapeAsync();
        loads.Succeeded("m", TimeSpan.FromMilliseconds(2));
        loads.Succeeded("other", TimeSpan.Zero);
        var second = await host.ScrapeAsync();
        loads.Forget("m");
        loads.Forget("m");
        var third = await host.ScrapeAsync();

        Assert.Equal(0, first["cluster_model_loads{name=m,result=success}"]);
        Assert.Equal(1, first["cluster_model_loads{name=m,result=failure}"]);
        Assert.Equal(1, second["cluster_model_loads{name=m,result=success}"]);
        Assert.Equal(2000, second["cluster_model_load_time_us_sum{name=m}"]);
        Assert.DoesNotContain(third.Samples, sample => sample.Contains("name=m,", StringComparison.Ordinal) || sample.Contains("name=m}", StringComparison.Ordinal));
        Assert.Equal(1, third["cluster_model_loads{name=other,result=success}"]);
    }
}
