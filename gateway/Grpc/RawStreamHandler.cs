using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Serves one stream until its task completes: null for OK, or the failure that ends it. Neither reader nor writer may be used afterwards.
/// A request the endpoint itself refuses (too large, truncated, …) surfaces as a ServingException of the reader; letting it pass ends the
/// stream with that failure.
/// </summary>
public delegate ValueTask<Failure?> RawStreamHandler(GrpcCallContext call, GrpcStreamReader requests, GrpcStreamWriter responses);
