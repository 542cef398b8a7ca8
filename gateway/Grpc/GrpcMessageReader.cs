using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Takes length-prefixed messages off a request's body: one byte of flags, four of length (big-endian), the message.
/// Bytes go from the body's segments straight into the message's pooled memory.
/// </summary>
internal static class GrpcMessageReader
{
    public const int PrefixLength = 5;

    // What a peer announces is rented at once only up to here. A longer message moves once a sixteenth of it has arrived: a prefix alone must
    // not take memory, which the pool would keep.
    private const int TrustedLength = 1024 * 1024;
    private const int Growth = 16;

    private const int PeekLength = 512;

    /// <summary>The one message of a unary call.</summary>
    public static async ValueTask<PayloadBuffer> ReadSingleAsync(GrpcCallContext call, LeadingPadding? padding, CancellationToken cancellation)
    {
        var message = await ReadAsync(call, padding, cancellation).ConfigureAwait(false)
            ?? throw new ServingException(new Failure(StatusCode.Unimplemented, $"{call.Method} takes one request message, none was sent"));
        try
        {
            await RequireEndAsync(call, cancellation).ConfigureAwait(false);
            return message;
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }

    /// <summary>The next message, or null once the client has ended its side between two messages.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<PayloadBuffer?> ReadAsync(GrpcCallContext call, LeadingPadding? padding, CancellationToken cancellation)
    {
        var body = call.HttpContext.Request.BodyReader;
        while (true)
        {
            var result = await ReceiveAsync(call, body, cancellation).ConfigureAwait(false);
            var buffer = result.Buffer;
            if (buffer.Length < PrefixLength)
            {
                if (result.IsCompleted)
                {
                    var stray = buffer.Length;
                    Advance(call, body, buffer.End, buffer.End);
                    return stray == 0 ? null : throw Truncated(call, $"ended within the {PrefixLength} bytes of a message's prefix");
                }

                Advance(call, body, buffer.Start, buffer.End);
                continue;
            }

            var (compressed, length) = ReadPrefix(call, buffer);
            var rest = buffer.Slice(PrefixLength);
            if (rest.Length < Math.Min(length, PeekLength) && !result.IsCompleted)
            {
                Advance(call, body, buffer.Start, buffer.End);
                continue;
            }

            var pad = compressed ? 0 : PaddingOf(padding, rest, length);
            var message = await FillAsync(call, body, result, length, pad, cancellation).ConfigureAwait(false);
            return compressed ? GrpcDecompressor.Inflate(call, message, padding) : message;
        }
    }

    private static (bool Compressed, int Length) ReadPrefix(GrpcCallContext call, in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (prefix[0] > 1)
        {
            throw ServingException.InvalidArgument($"{call.Method}: a message's flags are {prefix[0]}, only 0 and 1 exist");
        }

        if (length > (uint)call.MaxReceiveMessageSize)
        {
            throw TooLarge(call, $"a request message of {length} bytes");
        }

        if (prefix[0] == 1 && call.RequestEncoding == GrpcEncoding.Identity)
        {
            throw new ServingException(Failure.Internal($"{call.Method}: a message is flagged as compressed, but grpc-encoding names no compression"));
        }

        return (prefix[0] == 1, (int)length);
    }

    public static ServingException TooLarge(GrpcCallContext call, string what) => new(new Failure(
        StatusCode.ResourceExhausted, $"{call.Method}: {what} exceeds the limit of {call.MaxReceiveMessageSize} bytes"));

    private static ServingException Truncated(GrpcCallContext call, string how) =>
        ServingException.InvalidArgument($"{call.Method}: the request {how}");

    private static int PaddingOf(LeadingPadding? padding, in ReadOnlySequence<byte> rest, int length)
    {
        if (padding is null)
        {
            return 0;
        }

        var message = rest.Slice(0, Math.Min(rest.Length, length));
        var needed = (int)Math.Min(message.Length, PeekLength);
        if (message.FirstSpan.Length >= needed)
        {
            return padding(message.FirstSpan);
        }

        Span<byte> peek = stackalloc byte[PeekLength];
        message.Slice(0, needed).CopyTo(peek);
        return padding(peek[..needed]);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<PayloadBuffer> FillAsync(
        GrpcCallContext call, PipeReader body, ReadResult result, int length, int padding, CancellationToken cancellation)
    {
        var message = new GrowingPayload(Math.Min(length, TrustedLength), length, padding, Growth);
        try
        {
            var source = result.Buffer.Slice(PrefixLength);
            while (true)
            {
                var taken = Copy(source, length, ref message);
                Advance(call, body, taken, taken);
                if (message.Filled == length)
                {
                    return message.Detach();
                }

                if (result.IsCompleted)
                {
                    throw Truncated(call, $"ended after {message.Filled} of a message's {length} bytes");
                }

                result = await ReceiveAsync(call, body, cancellation).ConfigureAwait(false);
                source = result.Buffer;
            }
        }
        finally
        {
            message.Dispose();
        }
    }

    /// <summary>Copies as much of <paramref name="source"/> as belongs to the message and returns where it stopped.</summary>
    private static SequencePosition Copy(in ReadOnlySequence<byte> source, int length, ref GrowingPayload message)
    {
        var wanted = source.Slice(0, Math.Min(source.Length, length - message.Filled));
        foreach (var segment in wanted)
        {
            var left = segment.Span;
            while (left.Length > 0)
            {
                var room = message.GetRoom().Span;
                var count = Math.Min(room.Length, left.Length);
                left[..count].CopyTo(room);
                message.Advance(count);
                left = left[count..];
            }
        }

        return wanted.End;
    }

    private static async ValueTask RequireEndAsync(GrpcCallContext call, CancellationToken cancellation)
    {
        var body = call.HttpContext.Request.BodyReader;
        while (true)
        {
            var result = await ReceiveAsync(call, body, cancellation).ConfigureAwait(false);
            var more = !result.Buffer.IsEmpty;
            Advance(call, body, result.Buffer.Start, result.Buffer.End);
            if (more)
            {
                throw new ServingException(new Failure(StatusCode.Unimplemented, $"{call.Method} takes one request message, more were sent"));
            }

            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>Reads, telling a client that went away from one that broke a rule.</summary>
    private static async ValueTask<ReadResult> ReceiveAsync(GrpcCallContext call, PipeReader body, CancellationToken cancellation)
    {
        try
        {
            return await body.ReadAsync(cancellation).ConfigureAwait(false);
        }
        catch (BadHttpRequestException exception)
        {
            throw new ServingException(Failure.InvalidArgument($"{call.Method}: {exception.Message}"), exception);
        }
        catch (IOException exception)
        {
            throw ClientLeft(call, exception);
        }
    }

    /// <summary>Gives read bytes back, which widens the client's window: that fails where the client has reset the stream meanwhile.</summary>
    private static void Advance(GrpcCallContext call, PipeReader body, SequencePosition consumed, SequencePosition examined)
    {
        try
        {
            body.AdvanceTo(consumed, examined);
        }
        catch (IOException exception)
        {
            throw ClientLeft(call, exception);
        }
    }

    private static OperationCanceledException ClientLeft(GrpcCallContext call, IOException exception)
    {
        call.MarkCancelled(CancellationCause.Client);
        return new OperationCanceledException(exception.Message, exception);
    }
}
