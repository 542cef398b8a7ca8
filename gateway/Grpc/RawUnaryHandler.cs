using Cluster.Contracts.Buffers;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Answers one request. The handler owns <paramref name="request"/> (one whole, decompressed message) and disposes it or hands it on.
/// It may complete on any thread; the endpoint leaves foreign threads before it writes.
/// </summary>
/// <remarks>
/// <paramref name="call"/> stays valid until the returned task completes, also after the deadline was answered.
/// A handler that ignores the call's token therefore keeps its stream's state in memory until it is done.
/// </remarks>
public delegate ValueTask<GrpcReply> RawUnaryHandler(GrpcCallContext call, PayloadBuffer request);
