using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
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

/// <summary>The series of one model and of its known versions. Reading is lock-free; adding and removing are one caller's at a time.</summary>
internal sealed class ModelSeries(RequestMetricFamilies families, string model) : IDisposable
{
    private readonly OutcomeSeries _grpcReady = new(families, Protocol.Grpc, ServingMethod.ModelReady, model, "");
    private readonly OutcomeSeries _restReady = new(families, Protocol.Rest, ServingMethod.ModelReady, model, "");

    /// <summary>Ascending; replaced as a whole.</summary>
    private volatile VersionSeries[] _versions = [];

    public bool IsEmpty => _versions.Length == 0;

    public OutcomeSeries Ready(Protocol protocol) => protocol == Protocol.Grpc ? _grpcReady : _restReady;

    /// <param name="version">0 for the highest known.</param>
    public VersionSeries? Find(long version)
    {
        var versions = _versions;
        if (version == 0)
        {
            return versions.Length > 0 ? versions[^1] : null;
        }

        foreach (var candidate in versions)
        {
            if (candidate.Version == version)
            {
                return candidate;
            }
        }

        return null;
    }

    public void Add(long version)
    {
        if (Find(version) is null)
        {
            _versions = [.. _versions.Append(new VersionSeries(families, model, version)).OrderBy(series => series.Version)];
        }
    }

    public void Remove(long version)
    {
        if (Find(version) is { } series)
        {
            _versions = [.. _versions.Where(other => other != series)];
            series.Dispose();
        }
    }

    public void Dispose()
    {
        _grpcReady.Dispose();
        _restReady.Dispose();
    }
}

/// <summary>The series of one model version.</summary>
internal sealed class VersionSeries : IDisposable
{
    private readonly RequestMetricFamilies _families;
    private readonly OutcomeSeries _grpcInfer;
    private readonly OutcomeSeries _grpcMetadata;
    private readonly OutcomeSeries _grpcStream;
    private readonly OutcomeSeries _restInfer;
    private readonly OutcomeSeries _restMetadata;
    private readonly HistogramSeries _grpcTime;
    private readonly HistogramSeries _restTime;

    public VersionSeries(RequestMetricFamilies families, string model, long version)
    {
        _families = families;
        Version = version;
        var label = version.ToString(CultureInfo.InvariantCulture);
        _grpcInfer = new(families, Protocol.Grpc, ServingMethod.ModelInfer, model, label);
        _grpcMetadata = new(families, Protocol.Grpc, ServingMethod.ModelMetadata, model, label);
        _grpcStream = new(families, Protocol.Grpc, ServingMethod.ModelInferStream, model, label);
        _restInfer = new(families, Protocol.Rest, ServingMethod.ModelInfer, model, label);
        _restMetadata = new(families, Protocol.Rest, ServingMethod.ModelMetadata, model, label);
        _grpcTime = families.Time.Acquire(OutcomeSeries.InterfaceLabel(Protocol.Grpc), model, label);
        _restTime = families.Time.Acquire(OutcomeSeries.InterfaceLabel(Protocol.Rest), model, label);
    }

    public long Version { get; }

    /// <summary>Null for a method that has no version, or that the protocol lacks.</summary>
    public OutcomeSeries? Outcomes(Protocol protocol, ServingMethod method) => (protocol, method) switch
    {
        (Protocol.Grpc, ServingMethod.ModelInfer) => _grpcInfer,
        (Protocol.Rest, ServingMethod.ModelInfer) => _restInfer,
        (Protocol.Grpc, ServingMethod.ModelMetadata) => _grpcMetadata,
        (Protocol.Rest, ServingMethod.ModelMetadata) => _restMetadata,
        (Protocol.Grpc, ServingMethod.ModelInferStream) => _grpcStream,
        _ => null,
    };

    public HistogramSeries Time(Protocol protocol) => protocol == Protocol.Grpc ? _grpcTime : _restTime;

    public void Dispose()
    {
        _grpcInfer.Dispose();
        _grpcMetadata.Dispose();
        _grpcStream.Dispose();
        _restInfer.Dispose();
        _restMetadata.Dispose();
        _families.Time.Release(_grpcTime);
        _families.Time.Release(_restTime);
    }
}

/// <summary>The counters of one method over one protocol.</summary>
internal sealed class OutcomeSeries : IDisposable
{
    private readonly RequestMetricFamilies _families;

    /// <param name="version">Empty leaves the label out.</param>
    public OutcomeSeries(RequestMetricFamilies families, Protocol protocol, ServingMethod method, string model, string version)
    {
        _families = families;
        Success = families.Success.Acquire("KServe", InterfaceLabel(protocol), method.ToString(), model, version);
        Fail = families.Fail.Acquire("KServe", InterfaceLabel(protocol), method.ToString(), model, version);
        Cancelled = method is ServingMethod.ModelInfer or ServingMethod.ModelInferStream
            ? families.Cancelled.Acquire(InterfaceLabel(protocol), method.ToString(), model, version)
            : null;
    }

    public ValueSeries Success { get; }

    public ValueSeries Fail { get; }

    /// <summary>Null for a method that is no inference.</summary>
    public ValueSeries? Cancelled { get; }

    public static string InterfaceLabel(Protocol protocol) => protocol == Protocol.Grpc ? "gRPC" : "REST";

    public void Dispose()
    {
        _families.Success.Release(Success);
        _families.Fail.Release(Fail);
        if (Cancelled is not null)
        {
            _families.Cancelled.Release(Cancelled);
        }
    }
}

/// <summary>What the gateway had to do beyond one call a request. Its series are there, at 0, as long as the process is. Thread-safe.</summary>
internal sealed class RoutingMetrics
{
    private readonly ValueSeries _moved;
    private readonly ValueSeries _full;
    private readonly ValueSeries _lost;

    public RoutingMetrics(MetricRegistry registry)
    {
        var family = registry.Counter("cluster_gateway_retries", "Calls beyond the first of a request, by what became of the call before.", "reason");
        _moved = family.Acquire("moved");
        _full = family.Acquire("full");
        _lost = family.Acquire("lost");
    }

    /// <summary>Counts a further call after one that ended so.</summary>
    public void Retried(AttemptEnd before) => (before switch
    {
        AttemptEnd.Moved => _moved,
        AttemptEnd.Full => _full,
        _ => _lost,
    }).Increment();
}
