using System.Text.Json;

namespace Cluster.Gateway.Rest;

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
