using Cluster.Gateway.Serving;
using Cluster.Metrics;

namespace Cluster.Gateway.Metrics;

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
