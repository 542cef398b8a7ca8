namespace Cluster.Gateway.Grpc;

internal enum GrpcEncoding
{
    Identity,
    Gzip,

    /// <summary>gRPC's name for the zlib format.</summary>
    Deflate,
}
