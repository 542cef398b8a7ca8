using System.Buffers.Binary;
using Cluster.Contracts.Errors;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Tensors;

/// <summary>
/// BYTES tensors: each element is its length, 4 bytes little-endian, then its bytes. Elements may hold NUL and need not be UTF-8, so they
/// pass through the calls that take lengths, never those that take C strings.
/// </summary>
internal static class StringTensors
{
    /// <summary>Makes a string tensor of <paramref name="raw"/>; the caller disposes it.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: not <paramref name="count"/> whole elements.</exception>
    public static OrtValue FromRaw(ReadOnlySpan<byte> raw, long[] shape, long count, string input, string model)
    {
        CheckRaw(raw, count, input, model);
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        var position = 0;
        for (var i = 0; i < count; i++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(raw[position..]);
            position += sizeof(int);
            value.StringTensorSetElementAt(raw.Slice(position, length), i);
            position += length;
        }

        return value;
    }

    /// <summary>Bytes that <see cref="Write"/> will need; 0 elements need none.</summary>
    public static long RawLength(OrtValue value, int count)
    {
        long length = 0;
        for (var i = 0; i < count; i++)
        {
            length += sizeof(int) + value.GetStringElementAsSpan(i).Length;
        }

        return length;
    }

    /// <summary>Writes every element in the wire form.</summary>
    public static void Write(OrtValue value, int count, Span<byte> target)
    {
        var position = 0;
        for (var i = 0; i < count; i++)
        {
            var element = value.GetStringElementAsSpan(i);
            BinaryPrimitives.WriteInt32LittleEndian(target[position..], element.Length);
            element.CopyTo(target[(position + sizeof(int))..]);
            position += sizeof(int) + element.Length;
        }
    }

    /// <summary>Walks the lengths before any memory is taken for the elements.</summary>
    private static void CheckRaw(ReadOnlySpan<byte> raw, long count, string input, string model)
    {
        long found = 0;
        var position = 0;
        while (position < raw.Length)
        {
            if (raw.Length - position < sizeof(int))
            {
                throw Malformed($"element {found} has no whole 4-byte length");
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(raw[position..]);
            position += sizeof(int);
            if (length > raw.Length - position)
            {
                throw Malformed($"element {found} has {length} bytes where {raw.Length - position} are left");
            }

            position += (int)length;
            found++;
        }

        if (found != count)
        {
            throw Malformed($"expected {count} elements, got {found}");
        }

        ServingException Malformed(string what) =>
            ServingException.InvalidArgument($"BYTES data of input '{input}' for model '{model}' does not fit: {what}");
    }
}
