using System.Net;
using Cluster.Contracts.Options;

namespace Cluster.Gateway.Hosting;

/// <summary>Ports and limits of a gateway.</summary>
public sealed class GatewayOptions
{
    /// <summary>The address to listen on. Default 127.0.0.1; 0.0.0.0 or [::] for every interface.</summary>
    [SetBy("Cluster:Bind")]
    public IPAddress Bind { get; set; } = IPAddress.Loopback;

    /// <summary>Port of REST, metrics and health over HTTP/1.1; 0 takes a free one. Default 8000.</summary>
    [SetBy("Cluster:HttpPort")]
    public int HttpPort { get; set; } = 8000;

    /// <summary>Port of gRPC over HTTP/2; 0 takes a free one. Default 8001.</summary>
    [SetBy("Cluster:GrpcPort")]
    public int GrpcPort { get; set; } = 8001;

    /// <summary>
    /// A port on which alone models are changed and metrics read, HTTP/1.1, with TLS also gRPC. Null, the default: the two ports above do it too.
    /// </summary>
    [SetBy("Cluster:ManagementPort")]
    public int? ManagementPort { get; set; }

    /// <summary>The name in the server's metadata; some clients insist on one. Default "cluster".</summary>
    [SetBy("Cluster:ServerName")]
    public string ServerName { get; set; } = "cluster";

    /// <summary>
    /// The largest request message, bytes, over either protocol, also after decompression; 1 KiB to 2,000 MiB. Default 256 MiB. Lower refuses large
    /// tensors, higher lets one request hold that much memory.
    /// </summary>
    [SetBy("Cluster:MaxMessageMiB")]
    public int MaxMessageBytes { get; set; } = 256 << 20;

    /// <summary>Connections of clients, over both ports; null, the default, is what the limit of file descriptors allows.</summary>
    [SetBy("Cluster:MaxConnections")]
    public int? MaxConnections { get; set; }

    /// <summary>How long a process that is told to stop serves on while it is not ready. Default 0.</summary>
    [SetBy("Cluster:DrainSeconds")]
    public TimeSpan DrainTime { get; set; }

    /// <summary>Models that must answer for the process to be ready. Default 0.</summary>
    [SetBy("Cluster:MinReadyModels")]
    public int MinReadyModels { get; set; }
}
