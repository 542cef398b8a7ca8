using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Inference;

/// <summary>A finished message, or why there is none.</summary>
[GenerateSerializer, Immutable, Alias("infer-reply")]
public sealed class InferReply
{
    private InferReply(PayloadBuffer? message, Failure? failure)
    {
        Message = message;
        Failure = failure;
    }

    /// <summary>A serialized <c>ModelInferResponse</c> with raw contents; the receiver owns it. Null on failure.</summary>
    [Id(0)]
    public PayloadBuffer? Message { get; }

    /// <summary>Null on success.</summary>
    [Id(1)]
    public Failure? Failure { get; }

    [MemberNotNullWhen(true, nameof(Message))]
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Message is not null;

    public static InferReply Success(PayloadBuffer message) => new(message, null);

    public static InferReply Failed(Failure failure) => new(null, failure);
}
