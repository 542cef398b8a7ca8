using System.Net;

namespace Cluster.Runtime;

/// <summary>The settings of the connections between processes.</summary>
public sealed class MessagingOptions
{
    /// <summary>Where a silo listens for other silos. Null (default): its advertised end point. Gateways are listened for at the same address, on another port.</summary>
    public IPEndPoint? ListenEndpoint { get; set; }

    /// <summary>How long a connection may take. Default 2 s. Shorter gives up on slow networks, longer keeps callers of machines that are gone.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Bytes of one message, at most. Default 512 MiB. The same in all processes of a cluster.</summary>
    public int MaxMessageBytes { get; set; } = 512 << 20;
}
