using Cluster.Metrics;

namespace Cluster.Gateway.Metrics;

/// <summary>The families of requests; names, labels and bounds of those of <c>ovms</c> are OpenVINO Model Server's.</summary>
internal sealed class RequestMetricFamilies(MetricRegistry registry)
{
    public MetricFamily<ValueSeries> Success { get; } =
        registry.Counter("ovms_requests_success", "Requests that were answered.", "api", "interface", "method", "name", "version");

    public MetricFamily<ValueSeries> Fail { get; } =
        registry.Counter("ovms_requests_fail", "Requests that were refused or failed.", "api", "interface", "method", "name", "version");

    public MetricFamily<ValueSeries> Cancelled { get; } = registry.Counter(
        "cluster_requests_cancelled", "Inference requests whose caller gave up, by cancelling or at its deadline.", "interface", "method", "name", "version");

    public MetricFamily<HistogramSeries> Time { get; } =
        registry.Histogram(
            "ovms_request_time_us", "Whole time of inference requests that were answered, in microseconds.", HistogramBounds.Microseconds, "interface", "name", "version");
}
