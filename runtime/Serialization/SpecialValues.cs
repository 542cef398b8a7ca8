using System.Buffers.Binary;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Values of a few framework and runtime types as bytes.</summary>
internal static class SpecialValues
{
    private const int GuidLength = 16;
    private const int DateTimeOffsetLength = 10;

    public static void Write(WireWriter writer, DateTimeOffset value)
    {
        Span<byte> bytes = stackalloc byte[DateTimeOffsetLength];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value.Ticks);
        BinaryPrimitives.WriteInt16LittleEndian(bytes[sizeof(long)..], (short)value.TotalOffsetMinutes);
        writer.WriteBytes(bytes);
    }

    public static DateTimeOffset ReadDateTimeOffset(ref WireReader reader)
    {
        var bytes = Exactly(ref reader, DateTimeOffsetLength);
        try
        {
            return new DateTimeOffset(
                BinaryPrimitives.ReadInt64LittleEndian(bytes), TimeSpan.FromMinutes(BinaryPrimitives.ReadInt16LittleEndian(bytes[sizeof(long)..])));
        }
        catch (ArgumentException error)
        {
            throw new WireFormatException("a date is out of range", error);
        }
    }

    public static void Write(WireWriter writer, Guid value)
    {
        Span<byte> bytes = stackalloc byte[GuidLength];
        value.TryWriteBytes(bytes);
        writer.WriteBytes(bytes);
    }

    public static Guid ReadGuid(ref WireReader reader) => new(Exactly(ref reader, GuidLength));

    public static GrainId ReadGrainId(ref WireReader reader) =>
        GrainId.TryParse(reader.ReadText(), out var id) ? id : throw new WireFormatException("a grain identity has no type");

    public static SiloAddress ReadSiloAddress(ref WireReader reader)
    {
        try
        {
            return SiloAddress.FromParsableString(reader.ReadText());
        }
        catch (FormatException error)
        {
            throw new WireFormatException(error.Message, error);
        }
    }

    private static ReadOnlySpan<byte> Exactly(ref WireReader reader, int length)
    {
        var bytes = reader.ReadBytes();
        return bytes.Length == length ? bytes : throw new WireFormatException($"{bytes.Length} bytes where there must be {length}");
    }
}
