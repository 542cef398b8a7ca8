namespace Cluster.Tests.Common;

/// <summary>A cluster that a load can be sent to.</summary>
public interface IGateways
{
    /// <summary><c>host:port</c> of every gateway, for gRPC.</summary>
    IReadOnlyList<string> GrpcTargets { get; }
}
