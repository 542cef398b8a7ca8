namespace Cluster.Conformance.Fuzz;

/// <summary>How a case reaches the server.</summary>
internal enum Channel
{
    /// <summary>A unary gRPC call.</summary>
    Grpc,

    /// <summary>A bidirectional gRPC call of which everything is sent at once.</summary>
    GrpcStream,

    /// <summary>HTTP/1.1 by a proper client.</summary>
    Rest,

    /// <summary>Bytes into the HTTP port, ended by the client.</summary>
    RawHttp,

    /// <summary>Bytes into the gRPC port, ended by the client.</summary>
    RawHttp2,
}
