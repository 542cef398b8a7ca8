using System.Text.Json;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Rest.Json;

/// <summary>Reads and applies an input's <c>shape</c>.</summary>
internal static class JsonShape
{
    private const int MaxRank = 64;

    /// <summary>Sets the input's shape and its element count.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: no list of integers of at least 0, or their product does not fit 63 bits.</exception>
    public static void Read(ref Utf8JsonReader reader, JsonInput input)
    {
        JsonMembers.RequireArray(ref reader, $"{input.Title}: shape");
        List<long> shape = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var dimension) || dimension < 0)
            {
                throw ServingException.InvalidArgument($"{input.Title}: shape must be a list of integers from 0 to {long.MaxValue}");
            }

            if (shape.Count == MaxRank)
            {
                throw ServingException.InvalidArgument($"{input.Title}: shape has more than {MaxRank} dimensions");
            }

            shape.Add(dimension);
        }

        input.Shape = [.. shape];
        input.Elements = Product(input.Shape)
            ?? throw ServingException.InvalidArgument($"{input.Title}: shape {Text(input)} has more elements than 63 bits can count");
    }

    /// <exception cref="ServingException">INVALID_ARGUMENT: <c>data</c> has another number of elements than the shape.</exception>
    public static void RequireElements(JsonInput input)
    {
        if (input.DataElements != input.Elements)
        {
            throw ServingException.InvalidArgument(
                $"{input.Title}: data has {input.DataElements} elements, its shape {Text(input)} needs {input.Elements}");
        }
    }

    /// <summary>The number of elements; null if it does not fit 63 bits. A dimension of 0 makes it 0, even if the others overflow.</summary>
    public static long? Product(ReadOnlySpan<long> shape)
    {
        if (shape.Contains(0))
        {
            return 0;
        }

        long product = 1;
        foreach (var dimension in shape)
        {
            if (Math.BigMul(product, dimension, out product) != 0 || product < 0)
            {
                return null;
            }
        }

        return product;
    }

    private static string Text(JsonInput input) => $"[{string.Join(',', input.Shape!)}]";
}
