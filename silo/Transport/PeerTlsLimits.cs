namespace Cluster.Silo.Transport;

/// <summary>What peers that connect may take before they are known.</summary>
internal sealed record PeerTlsLimits
{
    /// <summary>How long a handshake may take: far above what a busy machine needs.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Handshakes at once, about 25 MiB. More than a cluster has processes, all of which may connect in one moment.</summary>
    public int Handshakes { get; init; } = 256;
}
