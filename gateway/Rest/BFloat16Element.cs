using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace Cluster.Gateway.Rest;

/// <summary>BF16: the upper half of an FP32, rounded to nearest, ties to even.</summary>
internal readonly struct BFloat16Element : IJsonElement
{
    private const ushort NaN = 0x7FC0;

    /// <summary>Bits of a double's fraction that BF16 has no room for: 52 − 7.</summary>
    private const int DroppedBits = 45;

    public static string Expected => $"a number from -3.3895314E+38 to 3.3895314E+38, or {FloatText.Expected}";

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        double value;
        if (reader.TokenType == JsonTokenType.Number)
        {
            if (!double.TryParse(reader.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out value) || !float.IsFinite(ToSingle(Round(value))))
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
        if (Math.Abs(value) < 1.1754943508222875e-38)
        {
            var steps = (ushort)Math.Round(Math.ScaleB(Math.Abs(value), 133), MidpointRounding.ToEven);
            return (ushort)(steps | (double.IsNegative(value) ? 0x8000 : 0));
        }

        var bits = BitConverter.DoubleToUInt64Bits(value);
        var half = (1UL << (DroppedBits - 1)) - 1 + ((bits >> DroppedBits) & 1);
        var rounded = BitConverter.UInt64BitsToDouble((bits + half) & ~((1UL << DroppedBits) - 1));
        return (ushort)(BitConverter.SingleToUInt32Bits((float)rounded) >> 16);
    }
}
