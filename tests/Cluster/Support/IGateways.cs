namespace Cluster.ClusterTests.Support;

/// <summary>A cluster that a load can be sent to.</summary>
internal interface IGateways
{
    /// <summary><c>host:port</c> of every gateway, for gRPC.</summary>
    IReadOnlyList<string> GrpcTargets { get; }
}
