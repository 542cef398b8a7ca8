using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Tensors;

/// <summary>Reads <c>InferTensorContents</c> into little-endian elements of a tensor's datatype.</summary>
/// <remarks>
/// INT8, INT16, UINT8 and UINT16 travel as 32-bit numbers and are checked against their range. FP16 and BF16 have no typed form.
/// </remarks>
internal static class TypedContents
{
    private const int Fp32Field = 6;
    private const int Fp64Field = 7;

    private static readonly string[] FieldNames =
        ["", "bool_contents", "int_contents", "int64_contents", "uint_contents", "uint64_contents", "fp32_contents", "fp64_contents", "bytes_contents"];

    /// <summary>The field that <paramref name="datatype"/> travels in; 0 for FP16 and BF16.</summary>
    private static int FieldOf(Datatype datatype) => datatype switch
    {
        Datatype.Bool => 1,
        Datatype.Int8 or Datatype.Int16 or Datatype.Int32 => 2,
        Datatype.Int64 => 3,
        Datatype.UInt8 or Datatype.UInt16 or Datatype.UInt32 => 4,
        Datatype.UInt64 => 5,
        Datatype.Fp32 => Fp32Field,
        Datatype.Fp64 => Fp64Field,
        Datatype.Bytes => 8,
        Datatype.Fp16 or Datatype.Bf16 or Datatype.Unknown => 0,
    };

    /// <summary>Fills <paramref name="target"/>, which has room for exactly <paramref name="count"/> elements.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: another field, another count, a number out of range.</exception>
    public static void Read(ReadOnlySpan<byte> message, Slice contents, in TensorContext tensor, long count, Span<byte> target)
    {
        var field = FieldOf(tensor.Datatype);
        if (field == 0)
        {
            throw tensor.Invalid($"{tensor.Datatype.Name()} has no typed contents, send raw_input_contents");
        }

        long read = 0;
        var size = tensor.Datatype.ElementSize();
        var reader = new ProtoReader(message, contents, "InferTensorContents");
        while (reader.Next())
        {
            CheckField(reader.Field, field, tensor);
            if (reader.WireType == WireType.LengthDelimited)
            {
                var packed = reader.ReadSlice();
                var elements = new ProtoReader(message, packed, "InferTensorContents");
                while (elements.Position < packed.Offset + packed.Length)
                {
                    Store(ReadElement(ref elements, tensor.Datatype), read++, tensor, count, target, size);
                }
            }
            else
            {
                CheckWireType(ref reader, tensor.Datatype);
                Store(ReadElement(ref reader, tensor.Datatype), read++, tensor, count, target, size);
            }
        }

        CheckCount(read, count, tensor);
    }

    /// <summary>The elements of a BYTES tensor, as places in the message.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: another field or another count.</exception>
    public static List<Slice> ReadBytes(ReadOnlySpan<byte> message, Slice contents, in TensorContext tensor, long count)
    {
        var elements = new List<Slice>();
        var reader = new ProtoReader(message, contents, "InferTensorContents");
        while (reader.Next())
        {
            CheckField(reader.Field, FieldOf(Datatype.Bytes), tensor);
            elements.Add(reader.ReadSlice());
        }

        CheckCount(elements.Count, count, tensor);
        return elements;
    }

    private static void CheckField(int found, int expected, in TensorContext tensor)
    {
        if (found != expected)
        {
            var name = found < FieldNames.Length ? FieldNames[found] : string.Create(CultureInfo.InvariantCulture, $"field {found}");
            throw tensor.Invalid($"its datatype is {tensor.Datatype.Name()}, which travels in {FieldNames[expected]}, but contents has {name}");
        }
    }

    private static void CheckWireType(ref ProtoReader reader, Datatype datatype)
    {
        var expected = FieldOf(datatype) switch
        {
            Fp32Field => WireType.Fixed32,
            Fp64Field => WireType.Fixed64,
            _ => WireType.Varint,
        };
        if (reader.WireType != expected)
        {
            throw reader.Malformed($"has field {reader.Field} as {reader.WireType}, expected {expected}");
        }
    }

    private static void CheckCount(long found, long expected, in TensorContext tensor)
    {
        if (found != expected)
        {
            throw tensor.Invalid($"its shape has {expected} elements, but contents has {found}");
        }
    }

    private static ulong ReadElement(ref ProtoReader reader, Datatype datatype) => FieldOf(datatype) switch
    {
        Fp32Field => reader.ReadFixed32(),
        Fp64Field => reader.ReadFixed64(),
        _ => reader.ReadVarint(),
    };

    private static void Store(ulong bits, long index, in TensorContext tensor, long count, Span<byte> target, int size)
    {
        if (index >= count)
        {
            throw tensor.Invalid($"its shape has {count} elements, but contents has more");
        }

        var place = target.Slice((int)index * size, size);
        switch (tensor.Datatype)
        {
            case Datatype.Bool:
                place[0] = bits == 0 ? (byte)0 : (byte)1;
                break;
            case Datatype.Int8:
                place[0] = (byte)CheckRange((int)bits, sbyte.MinValue, sbyte.MaxValue, index, tensor);
                break;
            case Datatype.Int16:
                BinaryPrimitives.WriteInt16LittleEndian(place, (short)CheckRange((int)bits, short.MinValue, short.MaxValue, index, tensor));
                break;
            case Datatype.UInt8:
                place[0] = (byte)CheckRange((uint)bits, byte.MinValue, byte.MaxValue, index, tensor);
                break;
            case Datatype.UInt16:
                BinaryPrimitives.WriteUInt16LittleEndian(place, (ushort)CheckRange((uint)bits, ushort.MinValue, ushort.MaxValue, index, tensor));
                break;
            case Datatype.Int32 or Datatype.UInt32 or Datatype.Fp32:
                BinaryPrimitives.WriteUInt32LittleEndian(place, (uint)bits);
                break;
            case Datatype.Int64 or Datatype.UInt64 or Datatype.Fp64:
                BinaryPrimitives.WriteUInt64LittleEndian(place, bits);
                break;
            default:
                throw new UnreachableException($"{tensor.Datatype.Name()} is stored in no form");
        }
    }

    private static long CheckRange(long value, long min, long max, long index, in TensorContext tensor) =>
        value >= min && value <= max
            ? value
            : throw tensor.Invalid($"element {index} is {value}, but {tensor.Datatype.Name()} goes from {min} to {max}");
}
