using System.Buffers.Binary;

namespace Cluster.Tests.Common;

/// <summary>gRPC's prefix of each message: a byte of flags, four of length (big-endian).</summary>
public static class GrpcFraming
{
    public const int PrefixLength = 5;

    /// <summary>The message behind its prefix.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> message, bool compressed = false)
    {
        var framed = new byte[PrefixLength + message.Length];
        framed[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(PrefixLength));
        return framed;
    }

    /// <summary>The uncompressed messages of a body.</summary>
    /// <exception cref="InvalidDataException">A prefix does not fit what follows, or a message is compressed.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> body)
    {
        var messages = new List<ReadOnlyMemory<byte>>();
        for (var rest = body; !rest.IsEmpty;)
        {
            if (rest.Length < PrefixLength || rest.Span[0] != 0)
            {
                throw new InvalidDataException($"no prefix of an uncompressed message at byte {body.Length - rest.Length} of {body.Length}");
            }

            var length = BinaryPrimitives.ReadUInt32BigEndian(rest.Span[1..]);
            if (length > rest.Length - PrefixLength)
            {
                throw new InvalidDataException($"a message of {length} bytes is announced, {rest.Length - PrefixLength} follow");
            }

            messages.Add(rest.Slice(PrefixLength, (int)length));
            rest = rest[(PrefixLength + (int)length)..];
        }

        return messages;
    }
}
