using Cluster.Contracts.Errors;

namespace Cluster.Grains.Tensors;

/// <summary>Arithmetic on shapes that a client sent.</summary>
internal static class Shapes
{
    /// <summary>The number of elements; 1 for a scalar. False for a negative dimension or more than 2⁶³−1 elements.</summary>
    public static bool TryCount(ReadOnlySpan<long> shape, out long count)
    {
        count = 1;
        var empty = shape.Contains(0);
        foreach (var dimension in shape)
        {
            if (dimension < 0)
            {
                return false;
            }

            if (!empty)
            {
                if (count > long.MaxValue / dimension)
                {
                    return false;
                }

                count *= dimension;
            }
        }

        count = empty ? 0 : count;
        return true;
    }

    /// <summary><c>[1,16]</c>.</summary>
    public static string Describe(ReadOnlySpan<long> shape) => $"[{string.Join(',', shape.ToArray())}]";

    public static ServingException Unexpected(string input, string model, string expected, ReadOnlySpan<long> actual, string why) =>
        ServingException.InvalidArgument($"unexpected shape for input '{input}' for model '{model}'. Expected {expected}, got {Describe(actual)}{why}");
}
