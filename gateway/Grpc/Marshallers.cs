using System.Buffers;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace Cluster.Gateway.Grpc;

/// <summary>How messages leave and enter the library's buffers: inference as pooled bytes, everything else as Google.Protobuf's objects.</summary>
internal static class Marshallers
{
    /// <summary>Bytes of a message that show where its first raw tensor begins, in any request that a client makes.</summary>
    public const int PeekLength = 512;

    /// <summary>
    /// Whole messages as bytes, copied once. A request is placed so that its first raw tensor is aligned; the handler that takes it from the stream
    /// owns it. Writing leaves the answer to the handler, which disposes it afterwards.
    /// </summary>
    public static Marshaller<PayloadBuffer> Payload { get; } = new(Write, Read);

    /// <exception cref="RpcException">INVALID_ARGUMENT: the bytes are no such message.</exception>
    public static Marshaller<T> Of<T>(MessageParser<T> parser)
        where T : class, IMessage<T> => new(Write, context =>
        {
            try
            {
                return parser.ParseFrom(context.PayloadAsReadOnlySequence());
            }
            catch (InvalidProtocolBufferException)
            {
                var type = parser.ParseFrom(ReadOnlySpan<byte>.Empty).Descriptor.FullName;
                throw Failure.InvalidArgument($"the request is not a valid {type} message").ToRpcException();
            }
        });

    private static PayloadBuffer Read(DeserializationContext context)
    {
        var payload = context.PayloadAsReadOnlySequence();
        var buffer = PayloadBuffer.Rent(context.PayloadLength, PaddingFor(payload));
        payload.CopyTo(buffer.Span);
        return buffer;
    }

    /// <summary>Bytes to leave free in front of an inference request; see <see cref="InferRequestHeader.PaddingFor"/>.</summary>
    public static int PaddingFor(in ReadOnlySequence<byte> payload)
    {
        var length = (int)Math.Min(payload.Length, PeekLength);
        if (payload.FirstSpan.Length >= length)
        {
            return InferRequestHeader.PaddingFor(payload.FirstSpan);
        }

        Span<byte> beginning = stackalloc byte[PeekLength];
        payload.Slice(0, length).CopyTo(beginning);
        return InferRequestHeader.PaddingFor(beginning[..length]);
    }

    private static void Write(PayloadBuffer message, SerializationContext context)
    {
        context.SetPayloadLength(message.Length);
        var target = context.GetBufferWriter();
        message.Span.CopyTo(target.GetSpan(message.Length));
        target.Advance(message.Length);
        context.Complete();
    }

    private static void Write<T>(T message, SerializationContext context)
        where T : IMessage<T>
    {
        context.SetPayloadLength(message.CalculateSize());
        message.WriteTo(context.GetBufferWriter());
        context.Complete();
    }
}
