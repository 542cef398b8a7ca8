using System.Buffers.Binary;
using Cluster.Contracts.Buffers;

namespace Cluster.Silo.Transport;

/// <summary>What a frame holds.</summary>
internal enum FrameKind : byte
{
    /// <summary>Whole messages and their payloads.</summary>
    Messages = 1,

    /// <summary>A message and the lengths of its payloads, which follow in pieces.</summary>
    Large = 2,

    /// <summary>The next bytes of the payloads of the large message that was begun last.</summary>
    Piece = 3,
}

/// <summary>
/// The first bytes of a frame, little-endian. Magic with version (4), kind (1), zero (1), payloads (2), bytes of messages (4), flush (4), bytes of payloads (8). The messages follow, an entry for each payload, and the payloads.
/// </summary>
internal readonly record struct FrameHeader(FrameKind Kind, int Payloads, int MessageBytes, uint Flush, long PayloadBytes)
{
    public const int Size = 24;

    /// <summary>Length (4), place in the flush (2), padding (1), zero (1).</summary>
    public const int EntrySize = 8;

    /// <summary>"CTF" and the version.</summary>
    private const uint Magic = 0x01_46_54_43;

    /// <summary>Bytes up to the payloads.</summary>
    public long HeadBytes => Size + (long)MessageBytes + (Payloads * EntrySize);

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        target[4] = (byte)Kind;
        target[5] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(target[6..], (ushort)Payloads);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], MessageBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Flush);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], PayloadBytes);
    }

    public static void WriteEntry(Span<byte> target, PayloadBuffer payload, int place)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, payload.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], (ushort)place);
        target[6] = (byte)payload.Padding;
        target[7] = 0;
    }

    /// <param name="limit">Bytes that a frame and its payloads may have.</param>
    /// <exception cref="InvalidDataException">These are not the first bytes of a frame that this version reads, or it is larger than the limit.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> source, long limit)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is var magic && magic != Magic)
        {
            throw new InvalidDataException($"a frame begins with {magic:x8}, expected {Magic:x8}");
        }

        var header = new FrameHeader(
            (FrameKind)source[4],
            BinaryPrimitives.ReadUInt16LittleEndian(source[6..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[16..]));
        var possible = header.Kind switch
        {
            FrameKind.Messages => header.MessageBytes > 0 && (header.Payloads == 0) == (header.PayloadBytes == 0),
            FrameKind.Large => header is { MessageBytes: > 0, Payloads: > 0, PayloadBytes: > 0 },
            FrameKind.Piece => header is { MessageBytes: 0, Payloads: 0, PayloadBytes: > 0 },
            _ => false,
        };
        if (!possible || source[5] != 0 || header.Payloads > OutgoingPayloads.MaxCount)
        {
            throw new InvalidDataException($"a frame that cannot be: {header}");
        }

        return (ulong)header.PayloadBytes > (ulong)limit || header.MessageBytes > limit - header.PayloadBytes
            ? throw new InvalidDataException($"a frame of {header.MessageBytes} and {header.PayloadBytes} bytes is larger than the limit of {limit}")
            : header;
    }

    /// <returns>The length, 1 or more, the place in the flush and the padding of a payload.</returns>
    /// <exception cref="InvalidDataException">The entry cannot be.</exception>
    public static (int Length, int Place, int Padding) ReadEntry(ReadOnlySpan<byte> source)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(source);
        var place = BinaryPrimitives.ReadUInt16LittleEndian(source[4..]);
        return length is <= 0 or > int.MaxValue - 64 || place >= OutgoingPayloads.MaxCount || source[6] >= PayloadBuffer.TensorAlignment || source[7] != 0
            ? throw new InvalidDataException($"a payload that cannot be: {length} bytes at place {place}, padding {source[6]}")
            : (length, place, source[6]);
    }
}
