using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Cluster.Gateway.Rest;

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
