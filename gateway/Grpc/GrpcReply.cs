using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// What a unary handler answers: one finished message, whose ownership passes to the endpoint, or a failure.
/// </summary>
public readonly struct GrpcReply
{
    private GrpcReply(PayloadBuffer? message, Failure? failure)
    {
        Message = message;
        Failure = failure;
    }

    /// <summary>The serialized response message, without gRPC's prefix; null with a failure.</summary>
    public PayloadBuffer? Message { get; }

    /// <summary>Why there is no message.</summary>
    public Failure? Failure { get; }

    public static implicit operator GrpcReply(PayloadBuffer message) => FromMessage(message);

    public static implicit operator GrpcReply(Failure failure) => FromFailure(failure);

    public static GrpcReply FromMessage(PayloadBuffer message) => new(message, null);

    public static GrpcReply FromFailure(Failure failure) => new(null, failure);
}
