using Cluster.Contracts.Buffers;

namespace Cluster.Contracts.Inference;

/// <summary>A request on its way to the replica that runs it.</summary>
[GenerateSerializer, Immutable, Alias("infer-request")]
public sealed class InferRequest
{
    /// <summary>
    /// A serialized <c>ModelInferRequest</c>, lent: the caller keeps its count until the call has ended, so that it can be sent to another replica. The grain
    /// takes a count of its own before it reads the message, and gives it up when it has answered.
    /// </summary>
    [Id(0)]
    public required PayloadBuffer Message { get; init; }

    /// <summary>Time until the caller's deadline, or null for none.</summary>
    [Id(1)]
    public TimeSpan? Timeout { get; init; }
}
