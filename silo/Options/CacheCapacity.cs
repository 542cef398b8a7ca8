using System.Globalization;

namespace Cluster.Silo.Options;

/// <summary>Reads the option <c>--capacity</c>.</summary>
internal static class CacheCapacity
{
    /// <summary>The share of the process' memory that models may take where nothing is said.</summary>
    public const double DefaultShare = 0.6;

    /// <summary>Less would hold next to no model: an operator who writes less has forgotten the unit.</summary>
    private const long Least = 1 << 20;

    private static readonly (string Text, long Bytes)[] Units =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("bytes", 1), ("", 1)];

    /// <param name="text">Null for the default.</param>
    /// <param name="bytes">Null: the default share of what <see cref="MemoryLimit"/> tells.</param>
    public static bool TryParse(string? text, out long? bytes)
    {
        bytes = null;
        if (text is null)
        {
            return true;
        }

        if (text == "unlimited")
        {
            bytes = long.MaxValue;
            return true;
        }

        var (unit, factor) = Units.First(candidate => text.EndsWith(candidate.Text, StringComparison.OrdinalIgnoreCase));
        if (!decimal.TryParse(text.AsSpan(0, text.Length - unit.Length).TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number > long.MaxValue / factor)
        {
            return false;
        }

        bytes = (long)(number * factor);
        return bytes >= Least;
    }

    /// <summary>The capacity in bytes. The text is valid.</summary>
    public static long Of(string? text) =>
        TryParse(text, out var bytes) && bytes is { } given ? given : (long)(MemoryLimit.Read("/") * DefaultShare);
}
