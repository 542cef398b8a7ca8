using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cluster.Contracts.Protocol;

namespace Cluster.Conformance.Fuzz;

/// <summary>An input with values that its datatype can hold, in each of the protocols' forms.</summary>
internal sealed class SeedTensor
{
    private readonly double[] _values;

    /// <param name="batch">The first dimension, if it is free: the inputs of one request share it.</param>
    public SeedTensor(Random random, InputShape input, int batch)
    {
        Input = input;
        Shape = [.. input.Shape.Select((dimension, place) => dimension >= 0 ? dimension : place == 0 ? batch : random.Next(1, 4))];
        var count = Shape.Aggregate(1L, (product, dimension) => product * dimension);
        var lowest = input.Datatype.StartsWith('U') || input.Datatype is "BYTES" or "BOOL" ? 0 : -100;
        _values = [.. Enumerable.Range(0, (int)count).Select(_ => (double)random.Next(lowest, input.Datatype == "BOOL" ? 2 : 101))];
    }

    public InputShape Input { get; }

    public long[] Shape { get; }

    /// <summary>FP16 and BF16 have no typed contents.</summary>
    public bool HasTypedForm => Input.Datatype is not ("FP16" or "BF16");

    public byte[] ToRaw()
    {
        var raw = new MemoryStream();
        Span<byte> element = stackalloc byte[sizeof(long)];
        foreach (var value in _values)
        {
            if (Input.Datatype == "BYTES")
            {
                var text = Encoding.UTF8.GetBytes(TextOf(value));
                BinaryPrimitives.WriteInt32LittleEndian(element, text.Length);
                raw.Write(element[..sizeof(int)]);
                raw.Write(text);
            }
            else
            {
                raw.Write(element[..Write(element, value)]);
            }
        }

        return raw.ToArray();
    }

    public InferTensorContents ToContents()
    {
        var contents = new InferTensorContents();
        foreach (var value in _values)
        {
            Add(contents, value);
        }

        return contents;
    }

    /// <summary>The elements, flat or nested as the shape is.</summary>
    public JsonArray ToJson(bool nested)
    {
        var next = 0;
        return nested && Shape.Length > 0 ? Nest(0, ref next) : [.. _values.Select(Element)];
    }

    private static string TextOf(double value) => value.ToString("'s'0", CultureInfo.InvariantCulture);

    private JsonArray Nest(int depth, ref int next)
    {
        var array = new JsonArray();
        for (var i = 0; i < Shape[depth]; i++)
        {
            array.Add(depth == Shape.Length - 1 ? Element(_values[next++]) : Nest(depth + 1, ref next));
        }

        return array;
    }

    private JsonNode Element(double value) => Input.Datatype switch
    {
        "BOOL" => JsonValue.Create(value != 0),
        "BYTES" => JsonValue.Create(TextOf(value)),
        _ => JsonValue.Create((long)value),
    };

    private int Write(Span<byte> element, double value)
    {
        switch (Input.Datatype)
        {
            case "FP16":
                BinaryPrimitives.WriteHalfLittleEndian(element, (Half)value);
                return 2;
            case "BF16":
                BinaryPrimitives.WriteInt16LittleEndian(element, (short)(BitConverter.SingleToInt32Bits((float)value) >> 16));
                return 2;
            case "FP32":
                BinaryPrimitives.WriteSingleLittleEndian(element, (float)value);
                return 4;
            case "FP64":
                BinaryPrimitives.WriteDoubleLittleEndian(element, value);
                return 8;
            default:
                BinaryPrimitives.WriteInt64LittleEndian(element, (long)value);
                return Input.Datatype switch { "BOOL" or "INT8" or "UINT8" => 1, "INT16" or "UINT16" => 2, "INT32" or "UINT32" => 4, _ => 8 };
        }
    }

    private void Add(InferTensorContents contents, double value)
    {
        switch (Input.Datatype)
        {
            case "BOOL":
                contents.BoolContents.Add(value != 0);
                break;
            case "INT64":
                contents.Int64Contents.Add((long)value);
                break;
            case "UINT64":
                contents.Uint64Contents.Add((ulong)value);
                break;
            case "FP32":
                contents.Fp32Contents.Add((float)value);
                break;
            case "FP64":
                contents.Fp64Contents.Add(value);
                break;
            case "BYTES":
                contents.BytesContents.Add(Google.Protobuf.ByteString.CopyFromUtf8(TextOf(value)));
                break;
            case "UINT8" or "UINT16" or "UINT32":
                contents.UintContents.Add((uint)value);
                break;
            default:
                contents.IntContents.Add((int)value);
                break;
        }
    }
}
