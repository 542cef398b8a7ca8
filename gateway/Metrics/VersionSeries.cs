using System.Globalization;
using Cluster.Gateway.Serving;
using Cluster.Metrics;

namespace Cluster.Gateway.Metrics;

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
