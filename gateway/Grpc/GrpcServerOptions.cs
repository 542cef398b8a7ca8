using Cluster.Contracts.Options;

namespace Cluster.Gateway.Grpc;

/// <summary>Limits of the gRPC endpoint.</summary>
public sealed class GrpcServerOptions
{
    /// <summary>
    /// The largest request message in bytes, also after decompression; 1 to <see cref="Array.MaxLength"/> − 8, 256 MiB by default.
    /// Lower refuses large tensors; higher lets one client hold that much memory in each of its calls.
    /// </summary>
    [SetBy("Cluster:MaxMessageMiB")]
    public int MaxReceiveMessageSize { get; set; } = 256 * 1024 * 1024;
}
