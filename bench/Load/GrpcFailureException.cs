namespace Cluster.Bench.Load;

/// <summary>A call did not end with OK.</summary>
internal sealed class GrpcFailureException(string message) : Exception(message);
