using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Cluster.Gateway.Grpc;

/// <summary>Puts length-prefixed messages into a response's body.</summary>
internal static class GrpcMessageWriter
{
    // One block of the server's memory pool: up to here prefix and message go out as one piece.
    private const int SmallLength = 4096;

    // The server copies what it is given before it waits for the client: pieces keep that copy small. Pieces of 64 KiB, 256 KiB and
    // whole messages of 600 KB cost the same processor time.
    private const int ChunkLength = 256 * 1024;

    /// <summary>
    /// Writes one message. With <paramref name="flush"/> false a small message stays buffered and leaves together with the trailers.
    /// The result tells whether anybody still listens.
    /// </summary>
    public static ValueTask<FlushResult> WriteAsync(PipeWriter output, ReadOnlyMemory<byte> message, bool compressed, bool flush)
    {
        var total = GrpcMessageReader.PrefixLength + message.Length;
        if (total > SmallLength)
        {
            WritePrefix(output.GetSpan(GrpcMessageReader.PrefixLength), message.Length, compressed);
            output.Advance(GrpcMessageReader.PrefixLength);
            return message.Length <= ChunkLength ? output.WriteAsync(message) : WriteChunksAsync(output, message);
        }

        var span = output.GetSpan(total);
        WritePrefix(span, message.Length, compressed);
        message.Span.CopyTo(span[GrpcMessageReader.PrefixLength..]);
        output.Advance(total);
        return flush ? output.FlushAsync() : default;
    }

    private static async ValueTask<FlushResult> WriteChunksAsync(PipeWriter output, ReadOnlyMemory<byte> message)
    {
        while (true)
        {
            var chunk = message[..Math.Min(message.Length, ChunkLength)];
            var result = await output.WriteAsync(chunk).ConfigureAwait(false);
            message = message[chunk.Length..];
            if (message.IsEmpty || result.IsCompleted)
            {
                return result;
            }
        }
    }

    private static void WritePrefix(Span<byte> span, int length, bool compressed)
    {
        span[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], (uint)length);
    }
}
