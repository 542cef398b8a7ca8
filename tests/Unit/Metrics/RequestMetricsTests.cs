using Cluster.Gateway.Metrics;
using Cluster.Gateway.Serving;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class RequestMetricsTests
{
    [Fact]
    public async Task Ensure_KnownVersion_SeriesAreThereAtZero()
    {
        using var host = new MetricsHost();
        new RequestMetrics(host.Registry).Ensure("m", 3);

        var scrape = await host.ScrapeAsync();

        string[] expected =
        [
            "{api=KServe,interface=REST,method=ModelInfer,name=m,version=3}",
            "{api=KServe,interface=REST,method=ModelMetadata,name=m,version=3}",
            "{api=KServe,interface=REST,method=ModelReady,name=m}",
            "{api=KServe,interface=gRPC,method=ModelInfer,name=m,version=3}",
            "{api=KServe,interface=gRPC,method=ModelInferStream,name=m,version=3}",
            "{api=KServe,interface=gRPC,method=ModelMetadata,name=m,version=3}",
            "{api=KServe,interface=gRPC,method=ModelReady,name=m}",
        ];
        foreach (var family in new[] { "ovms_requests_success", "ovms_requests_fail" })
        {
            Assert.Equal("counter", scrape.Types[family]);
            Assert.Equal(expected.Select(labels => family + labels), scrape.Samples.Where(sample => sample.StartsWith(family, StringComparison.Ordinal)));
            Assert.All(expected, labels => Assert.Equal(0, scrape[family + labels]));
        }

        Assert.Equal(0, scrape["ovms_request_time_us_count{interface=gRPC,name=m,version=3}"]);
        Assert.Equal(0, scrape["ovms_request_time_us_bucket{interface=REST,name=m,version=3,le=1474755971}"]);
    }

    [Fact]
    public async Task SuccessAndFail_EachMethod_CountsWhereItBelongs()
    {
        using var host = new MetricsHost();
        var metrics = new RequestMetrics(host.Registry);
        metrics.Ensure("m", 1);
        metrics.Ensure("m", 2);
        metrics.Success("m", 1, Protocol.Grpc, ServingMethod.ModelInfer, TimeSpan.FromMicroseconds(100));
        metrics.Success("m", 1, Protocol.Grpc, ServingMethod.ModelInferStream, TimeSpan.FromMicroseconds(50));
        metrics.Success("m", 1, Protocol.Grpc, ServingMethod.ModelMetadata, TimeSpan.FromMicroseconds(7));
        metrics.Success("m", 0, Protocol.Rest, ServingMethod.ModelReady, TimeSpan.FromMicroseconds(7));
        metrics.Fail("m", 1, Protocol.Rest, ServingMethod.ModelInfer);
        metrics.Fail("m", 0, Protocol.Rest, ServingMethod.ModelInfer);
        metrics.Fail("m", 9, Protocol.Grpc, ServingMethod.ModelReady);
        metrics.Cancelled("m", 1, Protocol.Rest, ServingMethod.ModelInfer);
        metrics.Cancelled("m", 0, Protocol.Grpc, ServingMethod.ModelInferStream);
        metrics.Cancelled("nosuch", 1, Protocol.Rest, ServingMethod.ModelInfer);

        var scrape = await host.ScrapeAsync();

        Assert.Equal(1, scrape["ovms_requests_success{api=KServe,interface=gRPC,method=ModelInfer,name=m,version=1}"]);
        Assert.Equal(1, scrape["ovms_requests_success{api=KServe,interface=gRPC,method=ModelInferStream,name=m,version=1}"]);
        Assert.Equal(1, scrape["ovms_requests_success{api=KServe,interface=gRPC,method=ModelMetadata,name=m,version=1}"]);
        Assert.Equal(1, scrape["ovms_requests_success{api=KServe,interface=REST,method=ModelReady,name=m}"]);
        Assert.Equal(1, scrape["ovms_requests_fail{api=KServe,interface=REST,method=ModelInfer,name=m,version=1}"]);
        Assert.Equal(1, scrape["cluster_requests_cancelled{interface=REST,method=ModelInfer,name=m,version=1}"]);
        Assert.Equal(1, scrape["cluster_requests_cancelled{interface=gRPC,method=ModelInferStream,name=m,version=2}"]);
        Assert.Equal(1, scrape["ovms_requests_fail{api=KServe,interface=REST,method=ModelInfer,name=m,version=2}"]);
        Assert.Equal(1, scrape["ovms_requests_fail{api=KServe,interface=gRPC,method=ModelReady,name=m}"]);
        Assert.Equal(2, scrape["ovms_request_time_us_count{interface=gRPC,name=m,version=1}"]);
        Assert.Equal(150, scrape["ovms_request_time_us_sum{interface=gRPC,name=m,version=1}"]);
        Assert.Equal(0, scrape["ovms_request_time_us_count{interface=REST,name=m,version=1}"]);
    }

    [Fact]
    public async Task SuccessAndFail_UnknownNames_CreateNoSeries()
    {
        using var host = new MetricsHost();
        var metrics = new RequestMetrics(host.Registry);
        metrics.Ensure("m", 1);
        var before = await host.RenderAsync();

        for (var i = 0; i < 100; i++)
        {
            metrics.Success($"hostile{i}", 1, Protocol.Grpc, ServingMethod.ModelInfer, TimeSpan.Zero);
            metrics.Fail($"hostile{i}", 0, Protocol.Rest, ServingMethod.ModelReady);
            metrics.Fail("m", 2 + i, Protocol.Rest, ServingMethod.ModelInfer);
        }

        Assert.Equal(before, await host.RenderAsync());
    }

    [Fact]
    public async Task Forget_Versions_RemovesTheirSeriesAndWithTheLastTheModels()
    {
        using var host = new MetricsHost();
        var metrics = new RequestMetrics(host.Registry);
        metrics.Ensure("m", 1);
        metrics.Ensure("m", 1);
        metrics.Ensure("m", 2);
        metrics.Forget("m", 1);
        metrics.Forget("m", 1);
        metrics.Forget("unknown", 1);
        var one = await host.ScrapeAsync();
        metrics.Forget("m", 2);
        var none = await host.ScrapeAsync();

        Assert.DoesNotContain(one.Samples, sample => sample.Contains("version=1", StringComparison.Ordinal));
        Assert.True(one.Has("ovms_requests_success{api=KServe,interface=gRPC,method=ModelReady,name=m}"));
        Assert.True(one.Has("ovms_requests_fail{api=KServe,interface=REST,method=ModelInfer,name=m,version=2}"));
        Assert.DoesNotContain(none.Samples, sample => sample.StartsWith("ovms_", StringComparison.Ordinal));
    }

    [Fact]
    public void SuccessAndFail_Recording_AllocatesNothing()
    {
        using var host = new MetricsHost();
        var metrics = new RequestMetrics(host.Registry);
        metrics.Ensure("m", 1);

        Assert.Equal(0, Allocations.Of(() =>
        {
            metrics.Success("m", 1, Protocol.Grpc, ServingMethod.ModelInfer, TimeSpan.FromMicroseconds(100));
            metrics.Success("m", 0, Protocol.Rest, ServingMethod.ModelReady, TimeSpan.Zero);
            metrics.Fail("m", 1, Protocol.Rest, ServingMethod.ModelInfer);
            metrics.Fail("hostile", 1, Protocol.Rest, ServingMethod.ModelInfer);
        }));
    }
}
