using Cluster.Contracts.Inference;

namespace Cluster.Gateway.Serving;

/// <summary>What became of a request.</summary>
/// <param name="Model">The model that was tried last.</param>
/// <param name="Version">Its version; 0 if none was found.</param>
internal readonly record struct DispatchedReply(InferReply Reply, string Model, long Version);
