using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

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

/// <summary>A finished message, or why there is none.</summary>
[GenerateSerializer, Immutable, Alias("infer-reply")]
public sealed class InferReply
{
    private InferReply(PayloadBuffer? message, Failure? failure)
    {
        Message = message;
        Failure = failure;
    }

    /// <summary>A serialized <c>ModelInferResponse</c> with raw contents, handed over: the receiver gives it up. Null on failure.</summary>
    [Id(0)]
    public PayloadBuffer? Message { get; }

    /// <summary>Null on success.</summary>
    [Id(1)]
    public Failure? Failure { get; }

    [MemberNotNullWhen(true, nameof(Message))]
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Message is not null;

    /// <param name="message">Held by the caller alone, which hands it over.</param>
    public static InferReply Success(PayloadBuffer message) => new(message.HandOver(), null);

    public static InferReply Failed(Failure failure) => new(null, failure);
}

/// <summary>Makes a request of a sample that lies beside a model.</summary>
public interface ISampleReader
{
    /// <param name="json">What a client sends to REST, with <c>data</c> for each input.</param>
    /// <param name="limit">The largest request, bytes.</param>
    /// <returns>The caller owns it.</returns>
    /// <exception cref="ServingException">INVALID_ARGUMENT or RESOURCE_EXHAUSTED: it is no such request.</exception>
    PayloadBuffer Read(ReadOnlySpan<byte> json, int limit);
}
