using System.Globalization;
using System.Net;
using Cluster.Grains.Placement;
using Cluster.Silo.Transport;

namespace Cluster.Silo.Clustering;

/// <summary>How a process takes part in the cluster: every process is an Orleans silo, a gateway is one that hosts no grain class of ours.</summary>
internal sealed record OrleansSilo
{
    /// <summary>Processes with another cluster identity are strangers.</summary>
    public required string ClusterId { get; init; }

    public bool IsGateway { get; init; }

    /// <summary>Where the other processes reach this one; null: there are no others.</summary>
    public IPEndPoint? Advertised { get; init; }

    /// <summary>Where this process listens for the others; null: at <see cref="Advertised"/>.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>For mutual TLS with the others; null: connections are plain.</summary>
    public PeerTlsFiles? Tls { get; init; }

    /// <summary>Host and port, for people; says the role (<see cref="SiloRole"/>).</summary>
    public string Name
    {
        get
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{Dns.GetHostName()}:{Advertised?.Port ?? 0}");
            return IsGateway ? SiloRole.GatewayName(name) : name;
        }
    }
}
