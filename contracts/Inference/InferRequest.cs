using Cluster.Contracts.Buffers;

namespace Cluster.Contracts.Inference;

/// <summary>A request on its way to the copy that runs it.</summary>
[GenerateSerializer, Immutable, Alias("infer-request")]
public sealed class InferRequest
{
    /// <summary>
    /// A serialized <c>ModelInferRequest</c>. The caller owns it and lends it to the grain until the call is answered, so that it can be
    /// sent to another copy. A call that was abandoned (cancelled, timed out) may still use it: then it is left to the collector.
    /// </summary>
    [Id(0)]
    public required PayloadBuffer Message { get; init; }

    /// <summary>Time until the caller's deadline, or null for none.</summary>
    [Id(1)]
    public TimeSpan? Timeout { get; init; }
}
