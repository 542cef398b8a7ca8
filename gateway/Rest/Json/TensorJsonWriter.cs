using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest.Json;

/// <summary>Writes a tensor as the member <c>data</c>, flat, block by block, so that the caller can send what is there between blocks.</summary>
/// <param name="bareFloats">Whether NaN and infinities stand bare; otherwise they are strings.</param>
internal sealed class TensorJsonWriter(Datatype datatype, ReadOnlyMemory<byte> tensor, bool bareFloats)
{
    private const int BlockElements = 1024;
    private const int BlockBytes = 32 << 10;

    /// <summary>More than the longest number has characters, with quotes and a comma.</summary>
    private const int MaxElementText = 32;

    private static ReadOnlySpan<byte> NegativeZero => "-0"u8;

    private ReadOnlyMemory<byte> _left = tensor;
    private bool _begun;

    /// <summary>
    /// Writes the next block behind what <paramref name="json"/> has written to <paramref name="staging"/>; false after the last one,
    /// with which the array ends.
    /// </summary>
    public bool WriteBlock(Utf8JsonWriter json, PooledWriter staging)
    {
        if (datatype == Datatype.Bytes)
        {
            WriteStrings(json);
        }
        else
        {
            // Numbers go to the buffer directly, at twice the writer's speed.
            json.Flush();
            WriteNumbers(staging);
        }

        _begun = true;
        return !_left.IsEmpty;
    }

    private void WriteStrings(Utf8JsonWriter json)
    {
        if (!_begun)
        {
            json.WriteStartArray("data"u8);
        }

        var left = _left.Span;
        while (left.Length > 0 && _left.Length - left.Length < BlockBytes && BytesTensor.TryNext(ref left, out var element))
        {
            json.WriteStringValue(element);
        }

        _left = _left[(_left.Length - left.Length)..];
        if (_left.IsEmpty)
        {
            json.WriteEndArray();
        }

        json.Flush();
    }

    private void WriteNumbers(PooledWriter staging)
    {
        if (!_begun)
        {
            staging.Write(",\"data\":["u8);
        }

        var block = _left.Span[..Math.Min(_left.Length, BlockElements * datatype.ElementSize())];
        var target = staging.GetSpan((BlockElements * MaxElementText) + 1);
        var length = Format(block, target);
        _left = _left[block.Length..];
        if (_left.IsEmpty)
        {
            // The last element's comma gives way to the bracket.
            length -= length > 0 ? 1 : 0;
            target[length++] = (byte)']';
        }

        staging.Advance(length);
    }

    private int Format(ReadOnlySpan<byte> block, Span<byte> target) => datatype switch
    {
        Datatype.Bool => FormatBools(block, target),
        Datatype.UInt8 => Format<byte>(block, target),
        Datatype.UInt16 => Format<ushort>(block, target),
        Datatype.UInt32 => Format<uint>(block, target),
        Datatype.UInt64 => Format<ulong>(block, target),
        Datatype.Int8 => Format<sbyte>(block, target),
        Datatype.Int16 => Format<short>(block, target),
        Datatype.Int32 => Format<int>(block, target),
        Datatype.Int64 => Format<long>(block, target),
        Datatype.Fp16 => FormatAsSingle(block, target, static bits => (float)BitConverter.UInt16BitsToHalf(bits)),
        Datatype.Bf16 => FormatAsSingle(block, target, BFloat16Element.ToSingle),
        Datatype.Fp32 => Format<float>(block, target),
        Datatype.Fp64 => Format<double>(block, target),
        Datatype.Bytes or Datatype.Unknown => throw new UnreachableException($"{datatype.Name()} is written in no form of numbers"),
    };

    private int Format<T>(ReadOnlySpan<byte> block, Span<byte> target)
        where T : unmanaged, INumber<T>
    {
        var length = 0;
        for (var i = 0; i < block.Length; i += Unsafe.SizeOf<T>())
        {
            length += Format(MemoryMarshal.Read<T>(block[i..]), target[length..]);
        }

        return length;
    }

    /// <summary>The 16-bit floats are written as the FP32 of the same value, so that no reader need know them to read them exactly.</summary>
    private int FormatAsSingle(ReadOnlySpan<byte> block, Span<byte> target, Func<ushort, float> convert)
    {
        var length = 0;
        for (var i = 0; i < block.Length; i += sizeof(ushort))
        {
            length += Format(convert(MemoryMarshal.Read<ushort>(block[i..])), target[length..]);
        }

        return length;
    }

    private static int FormatBools(ReadOnlySpan<byte> block, Span<byte> target)
    {
        var length = 0;
        foreach (var value in block)
        {
            var text = value == 0 ? "false,"u8 : "true,"u8;
            text.CopyTo(target[length..]);
            length += text.Length;
        }

        return length;
    }

    /// <summary>The shortest text that reads back as the same value, its sign included, and a comma.</summary>
    private int Format<T>(T value, Span<byte> target)
        where T : unmanaged, INumber<T>
    {
        int length;
        if (T.IsFinite(value))
        {
            value.TryFormat(target, out length, default, CultureInfo.InvariantCulture);

            // Clients read -0 as the integer 0, which has no sign.
            if (length == NegativeZero.Length && target.StartsWith(NegativeZero))
            {
                ".0"u8.CopyTo(target[length..]);
                length += 2;
            }
        }
        else if (bareFloats)
        {
            var text = FloatText.Of(double.CreateTruncating(value));
            text.CopyTo(target);
            length = text.Length;
        }
        else
        {
            var text = FloatText.Of(double.CreateTruncating(value));
            target[0] = (byte)'"';
            text.CopyTo(target[1..]);
            target[text.Length + 1] = (byte)'"';
            length = text.Length + 2;
        }

        target[length] = (byte)',';
        return length + 1;
    }
}

/// <summary>A buffer that grows in pooled memory and can be emptied and used again.</summary>
internal sealed class PooledWriter(int capacity) : IBufferWriter<byte>, IDisposable
{
    private byte[] _array = PayloadPool.Shared.Rent(capacity);

    public int Count { get; private set; }

    public ReadOnlyMemory<byte> Written => _array.AsMemory(0, Count);

    public void Clear() => Count = 0;

    public void Advance(int count) => Count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(Count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(Count);
    }

    public void Dispose()
    {
        PayloadPool.Shared.Return(_array);
        _array = [];
    }

    private void Reserve(int sizeHint)
    {
        var needed = Count + Math.Max(sizeHint, 1);
        if (needed <= _array.Length)
        {
            return;
        }

        var larger = PayloadPool.Shared.Rent(Math.Max(needed, (int)Math.Min(2L * _array.Length, Array.MaxLength)));
        _array.AsSpan(0, Count).CopyTo(larger);
        PayloadPool.Shared.Return(_array);
        _array = larger;
    }
}

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
