using System.Globalization;

namespace Cluster.Gateway.Rest.Json;

/// <summary>Compares a number as it is written with a double, exactly: for those few that a double falls between two values of a smaller format.</summary>
internal static class DecimalComparison
{
    /// <summary>More than the middle between two values of BF16 has: nine bits times 2⁻¹³⁴ are 97 digits.</summary>
    private const int MaxDigits = 128;

    /// <summary>So many digits behind the first.</summary>
    private const string Format = "E127";

    /// <summary>Digits, sign, point and exponent.</summary>
    private const int MaxText = MaxDigits + 16;

    /// <param name="text">A number in JSON's grammar, of any length.</param>
    /// <param name="value">Finite, of at most <see cref="MaxDigits"/> digits; its sign does not matter, nor that of the text.</param>
    /// <returns>Less than 0, 0 or more, as the text's magnitude is below, at or above that of the value.</returns>
    public static int CompareMagnitudes(ReadOnlySpan<byte> text, double value)
    {
        Span<byte> written = stackalloc byte[MaxText];
        value.TryFormat(written, out var length, Format, CultureInfo.InvariantCulture);
        Span<byte> left = stackalloc byte[MaxDigits];
        Span<byte> right = stackalloc byte[MaxDigits];
        var exponent = Normalize(text, left, out var hasMore);
        var other = Normalize(written[..length], right, out _);
        var order = exponent.CompareTo(other);
        order = order != 0 ? order : left.SequenceCompareTo(right);
        return order != 0 ? order : hasMore ? 1 : 0;
    }

    /// <summary>Writes the digits from the first that is not 0, and zeros behind them.</summary>
    /// <param name="hasMore">Whether digits other than 0 did not fit.</param>
    /// <returns>The number is 0.digits times ten to this.</returns>
    private static long Normalize(ReadOnlySpan<byte> text, Span<byte> digits, out bool hasMore)
    {
        digits.Fill((byte)'0');
        hasMore = false;
        var (count, exponent, isFraction) = (0, 0L, false);
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'e' or (byte)'E':
                    return exponent + (long.TryParse(text[(i + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var given) ? given : 0);
                case (byte)'.':
                    isFraction = true;
                    break;
                case (byte)'-':
                    break;
                case (byte)'0' when count == 0:
                    exponent -= isFraction ? 1 : 0;
                    break;
                case var digit:
                    hasMore |= count == digits.Length && digit != '0';
                    if (count < digits.Length)
                    {
                        digits[count++] = digit;
                    }

                    exponent += isFraction ? 0 : 1;
                    break;
            }
        }

        return exponent;
    }
}
