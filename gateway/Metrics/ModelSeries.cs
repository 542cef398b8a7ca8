using System.Globalization;
using Cluster.Gateway.Serving;
using Cluster.Metrics;

namespace Cluster.Gateway.Metrics;

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
