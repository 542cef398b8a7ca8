using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Cluster.Gateway.Rest.Json;

/// <summary>How one datatype's elements are read from JSON; implemented by structs, so that each gets its own loop.</summary>
internal interface IJsonElement
{
    /// <summary>What an element must be, for errors: "an integer from -128 to 127".</summary>
    static abstract string Expected { get; }

    /// <summary>Bytes of an element of which <see cref="NumberRun"/> reads many; 0 where it does not.</summary>
    static virtual int Size => 0;

    /// <summary>Writes a number to <paramref name="target"/>; false if it is no such element, or must be read by other means.</summary>
    static virtual bool TryConvert(in DecimalNumber number, Span<byte> target) => false;

    /// <summary>Reads the current token; false if it is no such element.</summary>
    static abstract bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink);
}

/// <summary>BOOL: one byte, 0 or 1.</summary>
internal readonly struct BoolElement : IJsonElement
{
    public static string Expected => "true or false";

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False))
        {
            return false;
        }

        sink.Next(1)[0] = reader.TokenType == JsonTokenType.True ? (byte)1 : (byte)0;
        return true;
    }
}

/// <summary>BYTES: a string's UTF-8 behind its length, 4 bytes little-endian.</summary>
internal readonly struct BytesElement : IJsonElement
{
    public static string Expected => "a string";

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return false;
        }

        var most = reader.ValueSpan.Length;
        var room = sink.Next(sizeof(int) + most);
        var text = room[sizeof(int)..];
        var length = most;
        if (reader.ValueIsEscaped)
        {
            length = JsonText.Unescape(ref reader, text);
            sink.Return(most - length);
        }
        else
        {
            reader.ValueSpan.CopyTo(text);
        }

        BinaryPrimitives.WriteInt32LittleEndian(room, length);
        return true;
    }
}

/// <summary>Integers in integer notation, never by way of a double.</summary>
internal readonly struct IntegerElement<T> : IJsonElement
    where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
{
    public static string Expected => string.Create(CultureInfo.InvariantCulture, $"an integer from {T.MinValue} to {T.MaxValue}, without fraction or exponent");

    public static int Size => Unsafe.SizeOf<T>();

    public static bool TryConvert(in DecimalNumber number, Span<byte> target)
    {
        var largest = ulong.CreateTruncating(T.MaxValue);
        if (!number.IsInteger || number.Digits > (number.IsNegative ? (T.MinValue == T.Zero ? 0 : largest) : largest))
        {
            return false;
        }

        var value = T.CreateTruncating(number.Digits);
        MemoryMarshal.Write(target, number.IsNegative ? T.Zero - value : value);
        return true;
    }

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        if (reader.TokenType != JsonTokenType.Number
            || !T.TryParse(reader.ValueSpan, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        MemoryMarshal.Write(sink.Next(Unsafe.SizeOf<T>()), in value);
        return true;
    }
}

/// <summary>FP16, FP32 and FP64: rounded once, to the nearest value, from the decimal text.</summary>
internal readonly struct FloatElement<T> : IJsonElement
    where T : unmanaged, IBinaryFloatingPointIeee754<T>, IMinMaxValue<T>
{
    public static string Expected =>
        string.Create(CultureInfo.InvariantCulture, $"a number from -{Largest} to {Largest}, or {FloatText.Expected}");

    /// <summary>Of FP16 as an FP32, whose shortest text names the value itself: 65504, where FP16's own is 65500.</summary>
    private static object Largest => T.MaxValue is Half half ? (float)half : T.MaxValue;

    public static int Size => typeof(T) == typeof(float) || typeof(T) == typeof(double) ? Unsafe.SizeOf<T>() : 0;

    public static bool TryConvert(in DecimalNumber number, Span<byte> target)
    {
        if (typeof(T) == typeof(float) && DecimalText.TryConvert(number, out float single) && float.IsFinite(single))
        {
            MemoryMarshal.Write(target, in single);
            return true;
        }

        if (typeof(T) == typeof(double) && DecimalText.TryConvert(number, out double wide))
        {
            MemoryMarshal.Write(target, in wide);
            return true;
        }

        return false;
    }

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        T value;
        if (reader.TokenType == JsonTokenType.Number)
        {
            if (!TryParse(reader.ValueSpan, out value) || !T.IsFinite(value))
            {
                return false;
            }
        }
        else if (!FloatText.TryRead(ref reader, out var special))
        {
            return false;
        }
        else
        {
            value = T.CreateTruncating(special);
        }

        MemoryMarshal.Write(sink.Next(Unsafe.SizeOf<T>()), in value);
        return true;
    }

    private static bool TryParse(ReadOnlySpan<byte> text, out T value)
    {
        if (typeof(T) == typeof(float) && DecimalText.TryRead(text, out float single))
        {
            value = Unsafe.BitCast<float, T>(single);
            return true;
        }

        if (typeof(T) == typeof(double) && DecimalText.TryRead(text, out double wide))
        {
            value = Unsafe.BitCast<double, T>(wide);
            return true;
        }

        return T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }
}

/// <summary>BF16: the upper half of an FP32, rounded to nearest, ties to even.</summary>
internal readonly struct BFloat16Element : IJsonElement
{
    private const ushort NaN = 0x7FC0;

    /// <summary>Bits of a double's fraction that BF16 has no room for: 52 − 7.</summary>
    private const int DroppedBits = 45;

    /// <summary>2⁻¹²⁶, as for FP32.</summary>
    private const double SmallestNormal = 1.1754943508222875e-38;

    /// <summary>Below that the values are whole numbers of 2⁻¹³³.</summary>
    private const int ToSteps = 133;

    public static string Expected => $"a number from -3.3895314E+38 to 3.3895314E+38, or {FloatText.Expected}";

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        double value;
        if (reader.TokenType == JsonTokenType.Number)
        {
            if (!double.TryParse(reader.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
            {
                return false;
            }

            value = IsMiddle(value) ? Beside(value, DecimalComparison.CompareMagnitudes(reader.ValueSpan, value)) : value;
            if (!float.IsFinite(ToSingle(Round(value))))
            {
                return false;
            }
        }
        else if (!FloatText.TryRead(ref reader, out value))
        {
            return false;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(sink.Next(sizeof(ushort)), Round(value));
        return true;
    }

    /// <summary>Whether it is as far from one BF16 as from the next: then the text that it was rounded from says which is nearer.</summary>
    private static bool IsMiddle(double value) => Math.Abs(value) < SmallestNormal
        ? Math.ScaleB(Math.Abs(value), ToSteps) % 1 == 0.5
        : double.IsFinite(value) && (BitConverter.DoubleToUInt64Bits(value) & ((1UL << DroppedBits) - 1)) == 1UL << (DroppedBits - 1);

    /// <summary>The double next to it, farther from 0 for an order above 0.</summary>
    private static double Beside(double value, int order) => order == 0 ? value : order > 0 == value > 0 ? Math.BitIncrement(value) : Math.BitDecrement(value);

    /// <summary>The value of BF16 bits; exact.</summary>
    public static float ToSingle(ushort bits) => BitConverter.Int32BitsToSingle(bits << 16);

    /// <summary>The nearest BF16's bits.</summary>
    public static ushort Round(double value)
    {
        if (double.IsNaN(value))
        {
            return NaN;
        }

        // Below FP32's normal range BF16 loses bits of its own; scaling by a power of two turns that into rounding to an integer.
        if (Math.Abs(value) < SmallestNormal)
        {
            var steps = (ushort)Math.Round(Math.ScaleB(Math.Abs(value), ToSteps), MidpointRounding.ToEven);
            return (ushort)(steps | (double.IsNegative(value) ? 0x8000 : 0));
        }

        var bits = BitConverter.DoubleToUInt64Bits(value);
        var half = (1UL << (DroppedBits - 1)) - 1 + ((bits >> DroppedBits) & 1);
        var rounded = BitConverter.UInt64BitsToDouble((bits + half) & ~((1UL << DroppedBits) - 1));
        return (ushort)(BitConverter.SingleToUInt32Bits((float)rounded) >> 16);
    }
}

/// <summary>The values that JSON numbers cannot say.</summary>
internal static class FloatText
{
    public const string Expected = "one of the strings \"NaN\", \"Infinity\" and \"-Infinity\"";

    public static ReadOnlySpan<byte> NaN => "NaN"u8;

    public static ReadOnlySpan<byte> Infinity => "Infinity"u8;

    public static ReadOnlySpan<byte> NegativeInfinity => "-Infinity"u8;

    public static bool TryRead(ref Utf8JsonReader reader, out double value)
    {
        value = double.NaN;
        if (reader.TokenType != JsonTokenType.String)
        {
            return false;
        }

        if (JsonText.Is(ref reader, NaN))
        {
            return true;
        }

        value = JsonText.Is(ref reader, Infinity) ? double.PositiveInfinity : double.NegativeInfinity;
        return value > 0 || JsonText.Is(ref reader, NegativeInfinity);
    }

    /// <summary>The string for a value that is not finite.</summary>
    public static ReadOnlySpan<byte> Of(double value) => double.IsNaN(value) ? NaN : value > 0 ? Infinity : NegativeInfinity;
}
