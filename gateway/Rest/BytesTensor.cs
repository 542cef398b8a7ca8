using System.Buffers.Binary;
using System.Text.Unicode;

namespace Cluster.Gateway.Rest;

/// <summary>Walks the raw form of BYTES: elements behind their lengths, 4 bytes little-endian.</summary>
internal static class BytesTensor
{
    /// <summary>Moves past the next element; false if the tensor is cut off inside it.</summary>
    public static bool TryNext(ref ReadOnlySpan<byte> tensor, out ReadOnlySpan<byte> element)
    {
        element = default;
        if (!BinaryPrimitives.TryReadUInt32LittleEndian(tensor, out var length) || length > (uint)(tensor.Length - sizeof(uint)))
        {
            return false;
        }

        element = tensor.Slice(sizeof(uint), (int)length);
        tensor = tensor[(sizeof(uint) + (int)length)..];
        return true;
    }

    /// <summary>How many elements there are; null if the tensor is cut off inside one.</summary>
    public static long? Count(ReadOnlySpan<byte> tensor)
    {
        long count = 0;
        while (!tensor.IsEmpty)
        {
            if (!TryNext(ref tensor, out _))
            {
                return null;
            }

            count++;
        }

        return count;
    }

    /// <summary>Bytes of the longest element; 0 where there is none.</summary>
    public static int Longest(ReadOnlySpan<byte> tensor)
    {
        var longest = 0;
        while (TryNext(ref tensor, out var element))
        {
            longest = Math.Max(longest, element.Length);
        }

        return longest;
    }

    /// <summary>Whether every element is UTF-8.</summary>
    public static bool IsText(ReadOnlySpan<byte> tensor)
    {
        while (TryNext(ref tensor, out var element))
        {
            if (!Utf8.IsValid(element))
            {
                return false;
            }
        }

        return true;
    }
}
