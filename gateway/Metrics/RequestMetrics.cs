using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Gateway.Serving;
using Cluster.Metrics;

namespace Cluster.Gateway.Metrics;

/// <summary>
/// Counts requests by model version. A version's series are there, at 0, from <see cref="Ensure"/> to <see cref="Forget"/>. Calls for others are not
/// counted, so names that clients make up cost no memory. Counting is thread-safe, lock-free and allocates nothing. One a process.
/// </summary>
internal sealed class RequestMetrics(MetricRegistry registry)
{
    private readonly RequestMetricFamilies _families = new(registry);
    private readonly ConcurrentDictionary<string, ModelSeries> _models = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>A version became known. Again for a known one does nothing.</summary>
    /// <param name="version">At least 1.</param>
    public void Ensure(string model, long version)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(version, 1);
        lock (_lock)
        {
            _models.GetOrAdd(model, name => new ModelSeries(_families, name)).Add(version);
        }
    }

    /// <summary>A version is gone; its series go, and with the last version the model's. Does nothing for an unknown one.</summary>
    public void Forget(string model, long version)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(version, 1);
        lock (_lock)
        {
            if (!_models.TryGetValue(model, out var series))
            {
                return;
            }

            series.Remove(version);
            if (series.IsEmpty && _models.TryRemove(model, out _))
            {
                series.Dispose();
            }
        }
    }

    /// <summary>Counts a request that was answered; an inference's time goes into the histogram.</summary>
    /// <param name="version">The version that answered; 0, the highest known, where none was chosen. Ignored for ModelReady.</param>
    /// <param name="elapsed">The whole request's time, from its first byte to its answer.</param>
    /// <param name="span">Of the request, where its trace is recorded; null where it is not.</param>
    public void Success(string model, long version, Protocol protocol, ServingMethod method, TimeSpan elapsed, Activity? span = null)
    {
        if (!_models.TryGetValue(model, out var series))
        {
            return;
        }

        if (method == ServingMethod.ModelReady)
        {
            series.Ready(protocol).Success.Increment();
        }
        else if (series.Find(version) is { } found && found.Outcomes(protocol, method) is { } outcomes)
        {
            outcomes.Success.Increment();
            if (method != ServingMethod.ModelMetadata)
            {
                Record(found.Time(protocol), elapsed.TotalMicroseconds, span);
            }
        }
    }

    private static void Record(HistogramSeries times, double microseconds, Activity? span)
    {
        if (span is null)
        {
            times.Record(microseconds);
        }
        else
        {
            times.Record(microseconds, span.TraceId);
        }
    }

    /// <summary>Counts a request that was refused or failed.</summary>
    /// <param name="version">The version that was meant; 0, the highest known, where that is not to be told. Ignored for ModelReady.</param>
    public void Fail(string model, long version, Protocol protocol, ServingMethod method)
    {
        if (_models.TryGetValue(model, out var series))
        {
            var outcomes = method == ServingMethod.ModelReady ? series.Ready(protocol) : series.Find(version)?.Outcomes(protocol, method);
            outcomes?.Fail.Increment();
        }
    }

    /// <summary>Counts an inference request whose caller gave up.</summary>
    /// <param name="version">As for <see cref="Fail"/>.</param>
    public void Cancelled(string model, long version, Protocol protocol, ServingMethod method)
    {
        if (_models.TryGetValue(model, out var series))
        {
            series.Find(version)?.Outcomes(protocol, method)?.Cancelled?.Increment();
        }
    }
}

/// <summary>The calls that are counted by model; their names are the label's values.</summary>
internal enum ServingMethod
{
    ModelInfer,
    ModelMetadata,

    /// <summary>Counted by model, without a version.</summary>
    ModelReady,

    /// <summary>One request of a stream; gRPC alone has it.</summary>
    ModelInferStream,
}

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
