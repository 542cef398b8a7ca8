using Cluster.Contracts.Buffers;

namespace Cluster.Contracts.Inference;

/// <summary>A request on its way to the copy that runs it.</summary>
[GenerateSerializer, Immutable, Alias("infer-request")]
public sealed class InferRequest
{
    /// <summary>
    /// A serialized <c>ModelInferRequest</c>. Its owner is the grain that receives it: it gives the memory back, whatever the outcome.
    /// </summary>
    [Id(0)]
    public required PayloadBuffer Message { get; init; }

    /// <summary>Time until the caller's deadline, or null for none.</summary>
    [Id(1)]
    public TimeSpan? Timeout { get; init; }
}
