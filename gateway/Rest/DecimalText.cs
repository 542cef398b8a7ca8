namespace Cluster.Gateway.Rest;

/// <summary>
/// Reads the decimal numbers that tensors are mostly made of, of at most 19 digits and a small exponent. Each takes one multiplication or division of doubles.
/// It declines where that could differ from the nearest value in the last bit.
/// </summary>
internal static class DecimalText
{
    private const ulong LargestExactInteger = 1UL << 53;

    /// <summary>Bits of a double's fraction that a float has no room for: 52 − 23.</summary>
    private const int DroppedBits = 29;

    /// <summary>More than the units in the last place by which a product of two rounded doubles can be wrong.</summary>
    private const ulong Doubt = 4;

    /// <summary>Up to the largest power of ten that a double holds exactly.</summary>
    private static readonly double[] PowersOfTen =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    /// <param name="text">A number in JSON's grammar.</param>
    /// <param name="value">The nearest float; infinite if there is none.</param>
    /// <returns>False if the text must be read by other means.</returns>
    public static bool TryRead(ReadOnlySpan<byte> text, out float value)
    {
        value = 0;
        return TrySplit(text, out var number) && TryConvert(number, out value);
    }

    /// <inheritdoc cref="TryRead(ReadOnlySpan{byte}, out float)"/>
    public static bool TryRead(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        return TrySplit(text, out var number) && TryConvert(number, out value);
    }

    /// <param name="value">The nearest float; infinite if there is none.</param>
    /// <returns>False if the number must be read by other means.</returns>
    public static bool TryConvert(in DecimalNumber number, out float value)
    {
        var approximate = Scale(number);

        // The nearest float is certain unless the double, give or take its error, reaches the middle between two floats.
        var dropped = BitConverter.DoubleToUInt64Bits(approximate) & ((1UL << DroppedBits) - 1);
        value = (float)(number.IsNegative ? -approximate : approximate);
        return dropped - ((1UL << (DroppedBits - 1)) - Doubt) > 2 * Doubt;
    }

    /// <param name="value">The nearest double.</param>
    /// <returns>False if the number must be read by other means.</returns>
    public static bool TryConvert(in DecimalNumber number, out double value)
    {
        // Both operands are exact, so that the one rounding is that of the result.
        value = number.IsNegative ? -Scale(number) : Scale(number);
        return number.Digits <= LargestExactInteger;
    }

    private static double Scale(in DecimalNumber number) =>
        number.Exponent < 0 ? number.Digits / PowersOfTen[-number.Exponent] : number.Digits * PowersOfTen[number.Exponent];

    private static bool TrySplit(ReadOnlySpan<byte> text, out DecimalNumber number)
    {
        var at = 0;
        return NumberRun.TryScan(text, ref at, out number) && at == text.Length;
    }
}
