using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest.Json;

/// <summary>Reads the value of <c>data</c>, flat or nested, into a tensor's raw bytes.</summary>
internal static class TensorDataReader
{
    /// <summary>Levels of nesting in a request, as elsewhere in the protocol's world.</summary>
    public const int MaxDepth = 100;

    /// <summary>Reads from the array that <paramref name="reader"/> stands on to its end.</summary>
    /// <param name="json">All of it.</param>
    /// <param name="offset">Where in it the reader began; it may begin anew further on.</param>
    /// <returns>How many elements there were.</returns>
    /// <exception cref="ServingException">INVALID_ARGUMENT: not an array, ragged, or an element that is none of the datatype's.</exception>
    public static long Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref int offset, JsonInput input, InferRequestBuilder builder) => input.Datatype switch
    {
        Datatype.Bool => Read<BoolElement>(ref reader, json, ref offset, input, builder),
        Datatype.UInt8 => Read<IntegerElement<byte>>(ref reader, json, ref offset, input, builder),
        Datatype.UInt16 => Read<IntegerElement<ushort>>(ref reader, json, ref offset, input, builder),
        Datatype.UInt32 => Read<IntegerElement<uint>>(ref reader, json, ref offset, input, builder),
        Datatype.UInt64 => Read<IntegerElement<ulong>>(ref reader, json, ref offset, input, builder),
        Datatype.Int8 => Read<IntegerElement<sbyte>>(ref reader, json, ref offset, input, builder),
        Datatype.Int16 => Read<IntegerElement<short>>(ref reader, json, ref offset, input, builder),
        Datatype.Int32 => Read<IntegerElement<int>>(ref reader, json, ref offset, input, builder),
        Datatype.Int64 => Read<IntegerElement<long>>(ref reader, json, ref offset, input, builder),
        Datatype.Fp16 => Read<FloatElement<Half>>(ref reader, json, ref offset, input, builder),
        Datatype.Bf16 => Read<BFloat16Element>(ref reader, json, ref offset, input, builder),
        Datatype.Fp32 => Read<FloatElement<float>>(ref reader, json, ref offset, input, builder),
        Datatype.Fp64 => Read<FloatElement<double>>(ref reader, json, ref offset, input, builder),
        Datatype.Bytes => Read<BytesElement>(ref reader, json, ref offset, input, builder),
        Datatype.Unknown => throw new ArgumentException($"{input.Title} has no datatype yet", nameof(input)),
    };

    private static long Read<T>(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref int offset, JsonInput input, InferRequestBuilder builder)
        where T : struct, IJsonElement
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw ServingException.InvalidArgument($"{input.Title}: data must be an array");
        }

        // By depth: members so far of the array that is open there, and the length of those that were closed (-1 before the first).
        Span<int> counts = stackalloc int[MaxDepth + 2];
        Span<int> lengths = stackalloc int[MaxDepth + 2];
        lengths.Fill(-1);
        var depth = 1;
        var leafDepth = 0;
        long elements = 0;
        var sink = new TensorSink(builder);
        while (depth > 0 && reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray:
                    Require(leafDepth == 0 || depth < leafDepth, input, elements);
                    counts[depth++]++;
                    counts[depth] = 0;
                    break;
                case JsonTokenType.EndArray:
                    Require(lengths[depth] < 0 || lengths[depth] == counts[depth], input, elements);
                    lengths[depth] = counts[depth];
                    depth--;
                    break;
                default:
                    Require(depth == leafDepth || (leafDepth == 0 && lengths[depth + 1] < 0), input, elements);
                    leafDepth = depth;
                    counts[depth]++;
                    if (!T.TryRead(ref reader, ref sink))
                    {
                        throw Unfit<T>(ref reader, input, elements);
                    }

                    elements++;
                    if (T.Size > 0 && NumberRun.Read<T>(json[(offset + (int)reader.BytesConsumed)..], ref sink, out var further) is > 0 and var read)
                    {
                        counts[depth] += further;
                        elements += further;
                        offset += (int)reader.BytesConsumed + read;
                        reader = new Utf8JsonReader(json[offset..], isFinalBlock: true, reader.CurrentState);
                    }

                    break;
            }
        }

        sink.Flush();
        return elements;
    }

    private static void Require(bool regular, JsonInput input, long elements)
    {
        if (!regular)
        {
            throw ServingException.InvalidArgument($"{input.Title}: data is ragged near element {elements}: arrays of one level must have one length");
        }
    }

    private static ServingException Unfit<T>(ref Utf8JsonReader reader, JsonInput input, long element)
        where T : struct, IJsonElement
    {
        var found = reader.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.String => $"the string \"{Utf8Text.Of(reader.ValueSpan)}\"",
            _ => Utf8Text.Of(reader.ValueSpan),
        };
        var hint = reader.TokenType == JsonTokenType.Null && T.Expected.Contains(FloatText.Expected, StringComparison.Ordinal)
            ? "; write \"NaN\" where null stands for it, or send the tensor as binary data"
            : "";
        return ServingException.InvalidArgument(
            $"{input.Title}: element {element} of data is {found}; {input.Datatype.Name()} needs {T.Expected}{hint}");
    }
}

/// <summary>Takes a tensor's elements one by one into a message under construction; call <see cref="Flush"/> at the end.</summary>
internal ref struct TensorSink(InferRequestBuilder builder)
{
    private const int ChunkSize = 4 << 10;

    private Span<byte> _chunk;
    private int _used;

    /// <summary>Room for the next <paramref name="size"/> bytes.</summary>
    public Span<byte> Next(int size)
    {
        if (_chunk.Length - _used < size)
        {
            Flush();
            _chunk = builder.GetSpan(Math.Max(size, ChunkSize));
        }

        var room = _chunk.Slice(_used, size);
        _used += size;
        return room;
    }

    /// <summary>Gives back the last <paramref name="size"/> bytes of what <see cref="Next"/> handed out.</summary>
    public void Return(int size) => _used -= size;

    public void Flush()
    {
        builder.Advance(_used);
        _chunk = default;
        _used = 0;
    }
}
