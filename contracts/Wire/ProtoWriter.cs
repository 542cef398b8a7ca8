using System.Numerics;

namespace Cluster.Contracts.Wire;

/// <summary>Writes protobuf fields into a span that the caller has sized with the <c>Size</c> methods.</summary>
public ref struct ProtoWriter(Span<byte> target)
{
    /// <summary>The longest form of a varint.</summary>
    public const int MaxVarintSize = 10;

    private readonly Span<byte> _target = target;

    /// <summary>Bytes written so far.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes of <paramref name="value"/> as a varint, 1 to 10.</summary>
    public static int VarintSize(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>Bytes of a length-delimited field with its tag and length.</summary>
    public static int FieldSize(int field, int length) =>
        VarintSize((ulong)field << 3) + VarintSize((ulong)length) + length;

    /// <summary>As <see cref="FieldSize"/>, 0 for an empty value, which proto3 leaves out.</summary>
    public static int OptionalFieldSize(int field, int length) => length == 0 ? 0 : FieldSize(field, length);

    public void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _target[Position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _target[Position++] = (byte)value;
    }

    /// <summary>
    /// A varint in exactly <paramref name="size"/> bytes, at least its own size and at most 10. Readers accept the longer form,
    /// and it moves what follows to a wanted alignment.
    /// </summary>
    public void WriteVarint(ulong value, int size)
    {
        for (var i = 1; i < size; i++)
        {
            _target[Position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _target[Position++] = (byte)value;
    }

    public void WriteTag(int field, WireType wireType) => WriteVarint(((ulong)field << 3) | (ulong)wireType);

    public void WriteField(int field, ReadOnlySpan<byte> value)
    {
        WriteLength(field, value.Length);
        value.CopyTo(_target[Position..]);
        Position += value.Length;
    }

    /// <summary>As <see cref="WriteField"/>, but nothing for an empty value.</summary>
    public void WriteOptionalField(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            WriteField(field, value);
        }
    }

    /// <summary>Tag and length of a field whose value the caller writes next.</summary>
    public void WriteLength(int field, int length)
    {
        WriteTag(field, WireType.LengthDelimited);
        WriteVarint((ulong)length);
    }

    /// <summary>Leaves room for a value that the caller writes.</summary>
    public void Skip(int bytes) => Position += bytes;
}
