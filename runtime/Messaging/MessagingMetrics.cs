using System.Diagnostics.Metrics;

namespace Cluster.Runtime;

/// <summary>Connections, on the meter "Cluster.Runtime".</summary>
internal sealed class MessagingMetrics
{
    private readonly Meter _meter;
    private readonly UpDownCounter<long> _open;
    private readonly Counter<long> _lost;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _refused;

    public MessagingMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(RuntimeMetrics.MeterName);
#pragma warning restore CA2000
        _meter = meter;
        _open = meter.CreateUpDownCounter<long>("cluster.runtime.connections", "{connection}", "Connections to other processes that are open");
        _lost = meter.CreateCounter<long>("cluster.runtime.connections.lost", "{connection}", "Connections that ended without a goodbye");
        _failed = meter.CreateCounter<long>("cluster.runtime.connections.failed", "{attempt}", "Attempts to connect that failed");
        _refused = meter.CreateCounter<long>("cluster.runtime.connections.refused", "{attempt}", "Connections that this process refused");
    }

    public void ObserveQueue(Func<long> bytes) =>
        _meter.CreateObservableGauge("cluster.runtime.connections.queued", bytes, "By", "Bytes that wait to be sent to other processes");

    public void Opened() => _open.Add(1);

    public void Closed() => _open.Add(-1);

    public void Lost() => _lost.Add(1);

    public void Failed() => _failed.Add(1);

    public void Refused() => _refused.Add(1);
}
