using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.Security;
using Cluster.Gateway.Traffic;

namespace Cluster.Gateway.Serving;

/// <summary>An inference request that has been read from its protocol.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">The version as text; empty for the server's choice.</param>
/// <param name="Message">A serialized <c>ModelInferRequest</c>; the receiver of the call owns it.</param>
/// <param name="Protocol">For metrics.</param>
/// <param name="Timeout">Time until the deadline of the client's protocol, or null for none.</param>
/// <param name="Method">As what metrics count it.</param>
internal readonly record struct InferCall(
    string Model, string Version, PayloadBuffer Message, Protocol Protocol, TimeSpan? Timeout, ServingMethod Method = ServingMethod.ModelInfer)
{
    /// <summary>The alias that led to <see cref="Model"/>, or null: should the model be gone, the alias is followed again.</summary>
    public string? Alias { get; init; }

    /// <summary>Of an alias with a traffic rule; null without one.</summary>
    public TrafficTicket? Ticket { get; init; }

    /// <summary>Whose request it is.</summary>
    public required Caller Caller { get; init; }
}

/// <summary>What became of a request.</summary>
/// <param name="Model">The model that was tried last.</param>
/// <param name="Version">Its version; 0 if none was found.</param>
internal readonly record struct DispatchedReply(InferReply Reply, string Model, long Version);

/// <summary>How a request came in.</summary>
internal enum Protocol
{
    Grpc,
    Rest,
}
