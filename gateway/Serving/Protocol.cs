namespace Cluster.Gateway.Serving;

/// <summary>How a request came in.</summary>
internal enum Protocol
{
    Grpc,
    Rest,
}
