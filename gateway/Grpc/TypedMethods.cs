using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Google.Protobuf;

namespace Cluster.Gateway.Grpc;

/// <summary>Puts handlers of Google.Protobuf messages on top of the raw ones.</summary>
internal static class TypedMethods
{
    public static RawUnaryHandler Unary<TRequest, TResponse>(
        MessageParser<TRequest> parser, Func<GrpcCallContext, TRequest, ValueTask<TResponse>> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
        => async (call, request) => Serialize(await handler(call, Parse(parser, request)).ConfigureAwait(false));

    public static RawStreamHandler ServerStream<TRequest, TResponse>(
        MessageParser<TRequest> parser, Func<GrpcCallContext, TRequest, GrpcStreamWriter<TResponse>, ValueTask> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
        => async (call, requests, responses) =>
        {
            var request = Parse(parser, await requests.ReadSingleAsync().ConfigureAwait(false));
            await handler(call, request, new GrpcStreamWriter<TResponse>(responses)).ConfigureAwait(false);
            return null;
        };

    public static RawStreamHandler Stream<TRequest, TResponse>(
        MessageParser<TRequest> parser, Func<GrpcCallContext, GrpcStreamReader<TRequest>, GrpcStreamWriter<TResponse>, ValueTask> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : IMessage<TResponse>
        => async (call, requests, responses) =>
        {
            await handler(call, new GrpcStreamReader<TRequest>(requests, parser), new GrpcStreamWriter<TResponse>(responses))
                .ConfigureAwait(false);
            return null;
        };

    /// <summary>Parses and disposes <paramref name="bytes"/>.</summary>
    public static T Parse<T>(MessageParser<T> parser, PayloadBuffer bytes)
        where T : IMessage<T>
    {
        using (bytes)
        {
            try
            {
                return parser.ParseFrom(bytes.Span);
            }
            catch (InvalidProtocolBufferException exception)
            {
                var type = parser.ParseFrom(ReadOnlySpan<byte>.Empty).Descriptor.FullName;
                throw new ServingException(Failure.InvalidArgument($"the request is not a valid {type} message: {exception.Message}"), exception);
            }
        }
    }

    public static PayloadBuffer Serialize<T>(T message)
        where T : IMessage<T>
    {
        var bytes = PayloadBuffer.Rent(message.CalculateSize());
        message.WriteTo(bytes.Span);
        return bytes;
    }
}
