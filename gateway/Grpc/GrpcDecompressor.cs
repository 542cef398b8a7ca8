using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Compression;

namespace Cluster.Gateway.Grpc;

/// <summary>Turns a compressed message into the plain one, never holding more than the limit of one message.</summary>
internal static class GrpcDecompressor
{
    private const int PeekLength = 4096;
    private const int GuessedRatio = 4;

    /// <summary>Takes ownership of <paramref name="compressed"/>.</summary>
    public static PayloadBuffer Inflate(GrpcCallContext call, PayloadBuffer compressed, LeadingPadding? padding)
    {
        call.RequestWasCompressed = true;
        using (compressed)
        {
            using Stream source = new InflateSource(compressed.Memory);
            using Stream plain = call.RequestEncoding == GrpcEncoding.Gzip ? CheckedInflater.Gzip(source) : CheckedInflater.Zlib(source);
            try
            {
                return Drain(call, plain, compressed.Length, padding);
            }
            catch (InvalidDataException exception)
            {
                throw new ServingException(
                    Failure.InvalidArgument($"{call.Method}: a message is not valid {GrpcCompression.NameOf(call.RequestEncoding)} data"), exception);
            }
        }
    }

    private static PayloadBuffer Drain(GrpcCallContext call, Stream plain, int compressedLength, LeadingPadding? padding)
    {
        Span<byte> peek = stackalloc byte[PeekLength];
        peek = peek[..plain.ReadAtLeast(peek, PeekLength, throwOnEndOfStream: false)];
        RequireWithinLimit(call, peek.Length);
        var limit = call.MaxReceiveMessageSize;
        var guess = (int)Math.Clamp((long)compressedLength * GuessedRatio, PeekLength, limit > PeekLength ? limit : PeekLength);
        var message = new GrowingPayload(guess, limit, padding?.Invoke(peek) ?? 0);
        try
        {
            peek.CopyTo(message.GetRoom().Span);
            message.Advance(peek.Length);
            int count;
            do
            {
                var room = message.GetRoom().Span;
                if (room.IsEmpty)
                {
                    RequireWithinLimit(call, limit + (long)plain.Read(peek[..1]));
                    break;
                }

                count = plain.Read(room);
                message.Advance(count);
            }
            while (count > 0);
            return message.Detach();
        }
        finally
        {
            message.Dispose();
        }
    }

    private static void RequireWithinLimit(GrpcCallContext call, long length)
    {
        if (length > call.MaxReceiveMessageSize)
        {
            throw GrpcMessageReader.TooLarge(call, $"a request message of {length} bytes or more, decompressed,");
        }
    }
}
