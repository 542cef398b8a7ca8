using System.Buffers.Binary;

namespace Cluster.Runtime;

/// <summary>What every frame begins with: length (4 bytes), type (1), flag (1), segments (2), identifier (8); little endian.</summary>
/// <param name="Length">Bytes behind the header.</param>
/// <param name="Flag">Depends on the type.</param>
/// <param name="Segments">Of a call or response.</param>
/// <param name="Id">The call's number at its caller, or a probe's.</param>
internal readonly record struct FrameHeader(int Length, FrameType Type, byte Flag, int Segments, ulong Id)
{
    public const int Size = 16;

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Length);
        bytes[4] = (byte)Type;
        bytes[5] = Flag;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)Segments);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Id);
    }

    /// <exception cref="WireFormatException">The type is unknown, or a length is beyond its limit.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes)
    {
        var header = new FrameHeader(
            BinaryPrimitives.ReadInt32LittleEndian(bytes),
            (FrameType)bytes[4],
            bytes[5],
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
        var max = header.Type switch
        {
            FrameType.Call or FrameType.Response => WireLimits.MaxBodyLength,
            FrameType.Chunk => WireLimits.MaxChunkLength,
            FrameType.ProbeRequest => WireLimits.MaxHandshakeLength,
            FrameType.Cancel or FrameType.Probe or FrameType.ProbeAnswer or FrameType.Goodbye => 0,
            _ => throw new WireFormatException($"there is no frame type {bytes[4]}"),
        };
        return header.Length >= 0 && header.Length <= max && header.Segments <= WireLimits.MaxSegments
            ? header
            : throw new WireFormatException($"a {header.Type} frame of {header.Length} bytes and {header.Segments} segments; the limits are {max} and {WireLimits.MaxSegments}");
    }
}
