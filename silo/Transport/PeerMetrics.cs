using System.Diagnostics.Metrics;

namespace Cluster.Silo.Transport;

/// <summary>What the meter "Cluster.Security" tells of TLS between processes.</summary>
internal sealed class PeerMetrics
{
    public const string MeterName = "Cluster.Security";

    public PeerMetrics(IMeterFactory meters, PeerTls tls)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.peer_certificate.end_time", () => tls.NotAfter.ToUnixTimeSeconds(), "s", "End of this process' certificate for its peers, since the Unix epoch");
        if (tls.RevocationsEnd is not null)
        {
            meter.CreateObservableGauge("cluster.peer_revocations.end_time", () => tls.RevocationsEnd!.Value.ToUnixTimeSeconds(), "s", "When the first revocation list of peers is out of date, since the Unix epoch");
        }
    }
}
