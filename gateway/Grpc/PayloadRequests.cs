using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StatusCode = Cluster.Contracts.Errors.StatusCode;

namespace Cluster.Gateway.Grpc;

/// <summary>Takes requests off a call, one reader at a time. The returned request belongs to the caller.</summary>
/// <remarks>
/// The library holds a message in the connection's buffers until it is whole, uncounted. So messages are taken from the same body here, into their own memory as they arrive, inflated where
/// they are compressed. 4 × 128 MiB at once took 1.4 times the memory and 1.5 times the processor time otherwise.
/// </remarks>
/// <param name="limit">The largest message, bytes.</param>
/// <param name="room">Where messages find their memory.</param>
internal sealed class PayloadRequests(ServerCallContext call, IAsyncStreamReader<PayloadBuffer> requests, int limit, PayloadRoom room)
{
    private const int PrefixLength = 5;

    // What a peer announces is rented at once only up to here. A longer message moves once a sixteenth of it has arrived: a prefix alone must
    // not take memory, which the pool would keep.
    private const int TrustedLength = 1 << 20;
    private const int Growth = 16;

    // Of a compressed message its length says nothing: it moves when it is full, into twice the room. With the padding, arrays of the pool are used to their end.
    private const int FirstInflated = 64 << 10;
    private const int GrowthOfInflated = 2;

    // Null where something stands between the server and the call, as gRPC-Web does: its text form must not be read twice. Then the library reads all.
    private readonly PipeReader? _body = OwnBody(call.GetHttpContext());

    /// <summary>The next request; null once the client has ended its side.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: the bytes are no gRPC messages; RESOURCE_EXHAUSTED: one is too large, or there is no room for it now.</exception>
    /// <exception cref="RpcException">What the library finds wrong: cut, damaged.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired, or the client left.</exception>
    public async ValueTask<PayloadBuffer?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_body is not null)
            {
                var result = await _body.ReadAsync(cancellationToken).ConfigureAwait(false);
                while (result.Buffer.Length < PrefixLength && !result.IsCompleted)
                {
                    _body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    result = await _body.ReadAsync(cancellationToken).ConfigureAwait(false);
                }

                if (result.IsCompleted && result.Buffer.IsEmpty)
                {
                    _body.AdvanceTo(result.Buffer.End);
                    return null;
                }

                switch (KindOf(result.Buffer, out var length))
                {
                    case MessageKind.Plain:
                        return await ReadPlainAsync(_body, result, length, cancellationToken).ConfigureAwait(false);
                    case MessageKind.Compressed:
                        _body.AdvanceTo(result.Buffer.GetPosition(PrefixLength));
                        return await ReadCompressedAsync(new MessageBody(_body, length, call.Method), cancellationToken).ConfigureAwait(false);
                    default:
                        break;
                }

                // No byte of it counts as seen, so the library starts again.
                _body.AdvanceTo(result.Buffer.Start);
            }

            return await requests.MoveNext(cancellationToken).ConfigureAwait(false) ? requests.Current : null;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or InvalidOperationException)
        {
            // Bad flags come as the same exceptions as a lost connection.
            call.CancellationToken.ThrowIfCancellationRequested();
            throw new ServingException(Failure.InvalidArgument($"{call.Method}: the request is not a sequence of gRPC messages"), exception);
        }
    }

    /// <summary>The only request of a call that takes one.</summary>
    /// <exception cref="ServingException">As for <see cref="ReadAsync"/>; UNIMPLEMENTED: none or several were sent.</exception>
    public async ValueTask<PayloadBuffer> ReadSingleAsync()
    {
        var request = await ReadAsync(call.CancellationToken).ConfigureAwait(false) ?? throw WrongCount("none was");
        try
        {
            if (await ReadAsync(call.CancellationToken).ConfigureAwait(false) is { } second)
            {
                second.Dispose();
                throw WrongCount("more were");
            }

            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    // Kestrel's request is its own feature for the body.
    private static PipeReader? OwnBody(HttpContext http) =>
        ReferenceEquals(http.Features.Get<IRequestBodyPipeFeature>(), http.Features.Get<IHttpRequestFeature>()) ? http.Request.BodyReader : null;

    private MessageKind KindOf(in ReadOnlySequence<byte> buffer, out int length)
    {
        length = 0;
        if (buffer.Length < PrefixLength)
        {
            return MessageKind.OfTheLibrary;
        }

        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        var announced = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (announced > (uint)limit)
        {
            var message = $"{call.Method}: a request message of {announced} bytes exceeds the limit of {limit} bytes";
            throw new ServingException(new Failure(StatusCode.ResourceExhausted, message));
        }

        length = (int)announced;
        return prefix[0] switch
        {
            0 => MessageKind.Plain,
            1 when CheckedCompressionProvider.Encodings.Contains(EncodingName) => MessageKind.Compressed,
            1 when length > TrustedLength => throw new ServingException(new Failure(
                StatusCode.Unimplemented, $"{call.Method}: a request message is compressed, and grpc-encoding is '{EncodingName}'; supported are gzip and deflate")),
            _ => MessageKind.OfTheLibrary,
        };
    }

    private string EncodingName => call.GetHttpContext().Request.Headers.GrpcEncoding.ToString();

    private async ValueTask<PayloadBuffer> ReadPlainAsync(PipeReader body, ReadResult result, int length, CancellationToken cancellationToken)
    {
        while (result.Buffer.Length < PrefixLength + Math.Min(length, Marshallers.PeekLength) && !result.IsCompleted)
        {
            body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            result = await body.ReadAsync(cancellationToken).ConfigureAwait(false);
        }

        var source = result.Buffer.Slice(PrefixLength);
        var padding = Marshallers.PaddingFor(source.Slice(0, Math.Min(source.Length, length)));
        var message = room.Rent(Math.Min(length, TrustedLength - padding), padding);
        var filled = 0;
        try
        {
            while (true)
            {
                var part = source.Slice(0, Math.Min(source.Length, length - filled));
                var needed = filled + (int)part.Length;
                if (needed > message.Length)
                {
                    message = room.Grow(message, filled, (int)Math.Min(length, Math.Max(needed, (long)Growth * message.Length)));
                }

                part.CopyTo(message.Span[filled..]);
                filled += (int)part.Length;
                body.AdvanceTo(part.End);
                if (filled == length)
                {
                    return message;
                }

                if (result.IsCompleted)
                {
                    throw Failure.Internal($"{call.Method}: the request ended after {filled} of a message's {length} bytes").ToRpcException();
                }

                result = await body.ReadAsync(cancellationToken).ConfigureAwait(false);
                source = result.Buffer;
            }
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }

    private async ValueTask<PayloadBuffer> ReadCompressedAsync(MessageBody compressed, CancellationToken cancellationToken)
    {
        await using var content = CheckedCompressionProvider.Inflate(compressed, EncodingName, limit);
        var beginning = new byte[Marshallers.PeekLength];
        var filled = await content.ReadAtLeastAsync(beginning, beginning.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        var isWhole = filled < beginning.Length;
        var padding = InferRequestHeader.PaddingFor(beginning.AsSpan(0, filled));
        var message = room.Rent(isWhole ? filled : FirstInflated - padding, padding);
        try
        {
            beginning.AsSpan(0, filled).CopyTo(message.Span);
            while (!isWhole)
            {
                // Full, it moves only if there is more.
                var isFull = filled == message.Length;
                var count = await content.ReadAsync(isFull ? beginning : message.Memory[filled..], cancellationToken).ConfigureAwait(false);
                isWhole = count == 0;
                if (isFull && count > 0)
                {
                    message = room.Grow(message, filled, (int)Math.Min(limit, Math.Max(filled + count, ((long)GrowthOfInflated * (message.Length + padding)) - padding)));
                    beginning.AsSpan(0, count).CopyTo(message.Span[filled..]);
                }

                filled += count;
            }

            message.Truncate(filled);
            return message;
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }

    private ServingException WrongCount(string sent) =>
        new(new Failure(StatusCode.Unimplemented, $"{call.Method} takes one request message, {sent} sent"));

    private enum MessageKind
    {
        Plain,
        Compressed,

        /// <summary>None that is read here, or wrong.</summary>
        OfTheLibrary,
    }
}

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
