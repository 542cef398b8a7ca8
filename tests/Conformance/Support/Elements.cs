using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Conformance.Support;

/// <summary>
/// Tensors' elements in the protocol's forms: raw, typed, JSON. Written for the tests alone, so that a mistake of the server is not made twice.
/// </summary>
internal static class Elements
{
    /// <summary>Raw BYTES of elements.</summary>
    public static byte[] Join(IEnumerable<byte[]> elements)
    {
        using var raw = new MemoryStream();
        foreach (var element in elements)
        {
            raw.Write(BitConverter.GetBytes(element.Length));
            raw.Write(element);
        }

        return raw.ToArray();
    }

    /// <summary>Elements of raw BYTES.</summary>
    public static List<byte[]> Split(ReadOnlySpan<byte> raw)
    {
        var elements = new List<byte[]>();
        while (raw.Length > 0)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(raw);
            elements.Add(raw.Slice(sizeof(int), length).ToArray());
            raw = raw[(sizeof(int) + length)..];
        }

        return elements;
    }

    /// <summary>The tensor as <c>InferTensorContents</c>.</summary>
    public static InferTensorContents Typed(Tensor tensor)
    {
        var contents = new InferTensorContents();
        switch (tensor.Datatype)
        {
            case "BOOL":
                contents.BoolContents.Add(tensor.Data.Select(static value => value != 0));
                break;
            case "INT8":
                contents.IntContents.Add(tensor.As<sbyte>().Select(static value => (int)value));
                break;
            case "INT16":
                contents.IntContents.Add(tensor.As<short>().Select(static value => (int)value));
                break;
            case "INT32":
                contents.IntContents.Add(tensor.As<int>());
                break;
            case "INT64":
                contents.Int64Contents.Add(tensor.As<long>());
                break;
            case "UINT8":
                contents.UintContents.Add(tensor.Data.Select(static value => (uint)value));
                break;
            case "UINT16":
                contents.UintContents.Add(tensor.As<ushort>().Select(static value => (uint)value));
                break;
            case "UINT32":
                contents.UintContents.Add(tensor.As<uint>());
                break;
            case "UINT64":
                contents.Uint64Contents.Add(tensor.As<ulong>());
                break;
            case "FP32":
                contents.Fp32Contents.Add(tensor.As<float>());
                break;
            case "FP64":
                contents.Fp64Contents.Add(tensor.As<double>());
                break;
            case "BYTES":
                contents.BytesContents.Add(Split(tensor.Data).Select(static element => ByteString.CopyFrom(element)));
                break;
            default:
                throw new ArgumentException($"{tensor.Datatype} has no typed form", nameof(tensor));
        }

        return contents;
    }

    /// <summary>The tensor as the value of <c>data</c>.</summary>
    public static string Json(Tensor tensor, bool nested)
    {
        var elements = JsonElements(tensor);
        // The protocol has data as an array even where the shape has no dimension.
        if (!nested || tensor.Shape.Length == 0)
        {
            return $"[{string.Join(',', elements)}]";
        }

        var next = 0;
        return Level(0);

        string Level(int dimension) => dimension == tensor.Shape.Length
            ? elements[next++]
            : $"[{string.Join(',', Enumerable.Range(0, (int)tensor.Shape[dimension]).Select(_ => Level(dimension + 1)))}]";
    }

    /// <summary>The raw form of a flat JSON array.</summary>
    public static byte[] FromJson(string datatype, JsonElement data) =>
        datatype == "BYTES"
            ? Join(data.EnumerateArray().Select(static element => Encoding.UTF8.GetBytes(element.GetString()!)))
            : [.. data.EnumerateArray().SelectMany(element => FromJsonElement(datatype, element))];

    /// <summary>The same tensor with every NaN the one that the machine makes, for forms in which its payload does not survive.</summary>
    public static byte[] WithoutPayloads(string datatype, byte[] raw) => datatype switch
    {
        "FP16" => Map<Half>(raw, static value => Half.IsNaN(value) ? Half.NaN : value),
        "BF16" => Map<ushort>(raw, static value => float.IsNaN(FromBf16(value)) ? (ushort)0xFFC0 : value),
        "FP32" => Map<float>(raw, static value => float.IsNaN(value) ? float.NaN : value),
        "FP64" => Map<double>(raw, static value => double.IsNaN(value) ? double.NaN : value),
        _ => raw,
    };

    public static float FromBf16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static List<string> JsonElements(Tensor tensor) => tensor.Datatype switch
    {
        "BOOL" => [.. tensor.Data.Select(static value => value != 0 ? "true" : "false")],
        "INT8" => Texts<sbyte>(tensor),
        "INT16" => Texts<short>(tensor),
        "INT32" => Texts<int>(tensor),
        "INT64" => Texts<long>(tensor),
        "UINT8" => Texts<byte>(tensor),
        "UINT16" => Texts<ushort>(tensor),
        "UINT32" => Texts<uint>(tensor),
        "UINT64" => Texts<ulong>(tensor),
        "FP16" => [.. tensor.As<Half>().Select(static value => Number((float)value))],
        "BF16" => [.. tensor.As<ushort>().Select(static value => Number(FromBf16(value)))],
        "FP32" => [.. tensor.As<float>().Select(Number)],
        "FP64" => [.. tensor.As<double>().Select(static value => Number(value))],
        _ => [.. Split(tensor.Data).Select(static element => JsonSerializer.Serialize(Encoding.UTF8.GetString(element)))],
    };

    private static List<string> Texts<T>(Tensor tensor)
        where T : unmanaged, IFormattable => [.. tensor.As<T>().Select(static value => value.ToString(null, CultureInfo.InvariantCulture))];

    private static string Number(float value) => float.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : Special(value);

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : Special(value);

    private static string Special(double value) => double.IsNaN(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";

    private static byte[] FromJsonElement(string datatype, JsonElement element)
    {
        if (datatype == "BOOL")
        {
            return [element.GetBoolean() ? (byte)1 : (byte)0];
        }

        var text = element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText();
        var culture = CultureInfo.InvariantCulture;
        return datatype switch
        {
            "INT8" => [(byte)sbyte.Parse(text, culture)],
            "INT16" => BitConverter.GetBytes(short.Parse(text, culture)),
            "INT32" => BitConverter.GetBytes(int.Parse(text, culture)),
            "INT64" => BitConverter.GetBytes(long.Parse(text, culture)),
            "UINT8" => [byte.Parse(text, culture)],
            "UINT16" => BitConverter.GetBytes(ushort.Parse(text, culture)),
            "UINT32" => BitConverter.GetBytes(uint.Parse(text, culture)),
            "UINT64" => BitConverter.GetBytes(ulong.Parse(text, culture)),
            "FP16" => BitConverter.GetBytes(Half.Parse(text, culture)),
            "BF16" => BitConverter.GetBytes(ToBf16(float.Parse(text, culture))),
            "FP32" => BitConverter.GetBytes(float.Parse(text, culture)),
            _ => BitConverter.GetBytes(double.Parse(text, culture)),
        };
    }

    /// <summary>Rounded to nearest, ties to even.</summary>
    private static ushort ToBf16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0xFFC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static byte[] Map<T>(byte[] raw, Func<T, T> map)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(MemoryMarshal.Cast<byte, T>(raw).ToArray().Select(map).ToArray()).ToArray();
}
