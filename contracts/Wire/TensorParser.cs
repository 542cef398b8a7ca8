using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Wire;

/// <summary>Reads <c>InferInputTensor</c> and <c>InferOutputTensor</c>, which share their field numbers.</summary>
internal static class TensorParser
{
    /// <summary>Reads a request's tensor, as <see cref="ParseOutput"/>.</summary>
    /// <exception cref="ServingException">In addition, UNIMPLEMENTED: its data is in shared memory.</exception>
    public static TensorSlice ParseInput(ReadOnlySpan<byte> message, Slice range, List<long> dimensions, int maxDimensions)
    {
        var tensor = Parse(message, range, dimensions, maxDimensions, "InferInputTensor", out var isInSharedMemory);
        return isInSharedMemory ? throw ParameterRules.SharedMemory("input", tensor.Name.Of(message)) : tensor;
    }

    /// <summary>Reads an answer's tensor; its dimensions are appended to <paramref name="dimensions"/>.</summary>
    public static TensorSlice ParseOutput(ReadOnlySpan<byte> message, Slice range, List<long> dimensions, int maxDimensions) =>
        Parse(message, range, dimensions, maxDimensions, "InferOutputTensor", out _);

    private static TensorSlice Parse(
        ReadOnlySpan<byte> message, Slice range, List<long> dimensions, int maxDimensions, string messageName, out bool isInSharedMemory)
    {
        isInSharedMemory = false;
        Slice name = default, datatype = default, contents = default;
        var hasContents = false;
        var first = dimensions.Count;
        var reader = new ProtoReader(message, range, messageName);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case InferFields.TensorName:
                    name = reader.ReadString();
                    break;
                case InferFields.TensorDatatype:
                    datatype = reader.ReadString();
                    break;
                case InferFields.TensorShape when reader.WireType == WireType.Varint:
                    Add(dimensions, reader.ReadVarint(), maxDimensions);
                    break;
                case InferFields.TensorShape:
                    ParsePacked(message, reader.ReadSlice(), dimensions, maxDimensions, messageName);
                    break;
                case InferFields.TensorParameters:
                    isInSharedMemory |= ParameterRules.IsSharedMemory(ParameterParser.ParseKey(message, reader.ReadSlice(), out _).Of(message));
                    break;
                case InferFields.TensorContents when hasContents:
                    throw reader.Malformed("has contents twice");
                case InferFields.TensorContents:
                    contents = reader.ReadSlice();
                    hasContents = true;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new TensorSlice(name, datatype, first, dimensions.Count - first, contents, hasContents);
    }

    private static void ParsePacked(ReadOnlySpan<byte> message, Slice packed, List<long> dimensions, int maxDimensions, string messageName)
    {
        var reader = new ProtoReader(message, packed, messageName);
        while (reader.Position < packed.Offset + packed.Length)
        {
            Add(dimensions, reader.ReadVarint(), maxDimensions);
        }
    }

    private static void Add(List<long> dimensions, ulong dimension, int maxDimensions)
    {
        if (dimensions.Count >= maxDimensions)
        {
            throw ServingException.InvalidArgument($"the message has more than {maxDimensions} dimensions in all");
        }

        dimensions.Add((long)dimension);
    }
}
