using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Cluster.Gateway.Rest;

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
