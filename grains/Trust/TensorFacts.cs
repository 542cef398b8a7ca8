using System.Globalization;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Trust;

/// <summary>
/// What a TensorProto declares, without its data (onnx.proto: dims = 1, data_type = 2, name = 8, external_data = 13, data_location = 14; StringStringEntryProto: key = 1,
/// value = 2).
/// </summary>
internal ref struct TensorFacts
{
    private const int External = 1;
    private const int MaxLocation = 1024;
    private const int Largest = 32;

    /// <summary>Bytes of an element by its number in onnx.proto; texts are reckoned as empty ones. Four-bit types are reckoned as bytes.</summary>
    private static readonly byte[] ElementBytes = [Largest, 4, 1, 1, 2, 2, 4, 8, Largest, 1, 2, 8, 4, 8, 8, 16, 2, 1, 1, 1, 1, 1, 1];

    private readonly ReadOnlySpan<byte> _bytes;
    private UInt128 _count;
    private ulong _type;
    private ulong _place;
    private string? _location;
    private long? _offset;
    private long? _length;

    private TensorFacts(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        _count = 1;
    }

    public string Name { get; private set; } = "";

    public readonly bool IsExternal => _place == External;

    /// <summary>Bytes that its shape declares; <see cref="long.MaxValue"/> for more than can be counted.</summary>
    public readonly long DeclaredBytes => SizeOf(_count, _type);

    /// <summary>The file of an external one.</summary>
    public readonly string Location => _location ?? throw Refusal.Of($"initializer {Refusal.Quote(Name)} has external data without a location");

    /// <summary>Where its data ends in that file.</summary>
    public readonly long End => _offset.GetValueOrDefault() is var offset && Math.Max(_length.GetValueOrDefault(), DeclaredBytes) is var length && length > long.MaxValue - offset
        ? long.MaxValue
        : offset + length;

    /// <exception cref="ServingException">It is malformed.</exception>
    public static TensorFacts Read(ReadOnlySpan<byte> bytes, Slice range)
    {
        var facts = new TensorFacts(bytes);
        var reader = new ProtoReader(bytes, range, "TensorProto");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    facts._count = Multiply(facts._count, bytes, ref reader);
                    break;
                case 2:
                    facts._type = reader.ReadVarintField();
                    break;
                case 8:
                    facts.Name = Text(reader.ReadSlice().Of(bytes));
                    break;
                case 13:
                    facts.ReadEntry(reader.ReadSlice());
                    break;
                case 14:
                    facts._place = reader.ReadVarintField();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return facts;
    }

    /// <summary>The product so far times one dimension, or several that are packed.</summary>
    /// <returns>Not above what a product of 64 bits with a further dimension needs.</returns>
    public static UInt128 Multiply(UInt128 count, ReadOnlySpan<byte> bytes, ref ProtoReader reader)
    {
        if (reader.WireType != WireType.LengthDelimited)
        {
            return Multiply(count, reader.ReadVarintField());
        }

        // Packed numbers have no tags.
        var slice = reader.ReadSlice();
        var packed = new ProtoReader(bytes, slice, "TensorProto");
        while (packed.Position < slice.Offset + slice.Length)
        {
            count = Multiply(count, packed.ReadVarint());
        }

        return count;
    }

    public static long SizeOf(UInt128 count, ulong type)
    {
        if (count > long.MaxValue)
        {
            return long.MaxValue;
        }

        var bytes = count * (type < (ulong)ElementBytes.Length ? ElementBytes[type] : (byte)Largest);
        return bytes > long.MaxValue ? long.MaxValue : (long)bytes;
    }

    /// <summary>A negative dimension has more than 63 bits, so it declares too much.</summary>
    private static UInt128 Multiply(UInt128 count, ulong dimension) => count > long.MaxValue && dimension > 0 ? count : count * dimension;

    private void ReadEntry(Slice range)
    {
        var (key, value) = ("", "");
        var reader = new ProtoReader(_bytes, range, "StringStringEntryProto");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    key = Text(reader.ReadSlice().Of(_bytes));
                    break;
                case 2:
                    value = Text(reader.ReadSlice().Of(_bytes));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        var isNew = key switch
        {
            "location" => _location is null,
            "offset" => _offset is null,
            "length" => _length is null,
            _ => true,
        };
        if (!isNew)
        {
            throw Refusal.Of($"external data of initializer {Refusal.Quote(Name)} has '{key}' twice");
        }

        switch (key)
        {
            case "location":
                _location = value;
                break;
            case "offset":
                _offset = Number(key, value);
                break;
            case "length":
                _length = Number(key, value);
                break;
        }
    }

    private readonly long Number(string key, string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Refusal.Of($"external data of initializer {Refusal.Quote(Name)} has the {key} {Refusal.Quote(value)}, expected a number of bytes");

    /// <summary>A name, or the path of a file: no longer text is of use, and none longer is made.</summary>
    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, MaxLocation)]);
}

/// <summary>What a .onnx file holds, as far as it is to be known before it is loaded.</summary>
internal sealed class ModelFacts
{
    private readonly Dictionary<string, long> _external = new(StringComparer.Ordinal);

    /// <summary>Of all graphs and functions.</summary>
    public long Nodes { get; set; }

    /// <summary>Of all graphs, and of the attributes of nodes.</summary>
    public long Tensors { get; set; }

    /// <summary>The location of each external file, as the file spells it, and how many bytes of it are wanted at least.</summary>
    public IReadOnlyDictionary<string, long> External => _external;

    public void Want(string location, long end) => _external[location] = Math.Max(end, _external.GetValueOrDefault(location));
}
