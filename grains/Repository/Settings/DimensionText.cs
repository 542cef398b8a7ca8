using System.Globalization;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Repository.Settings;

/// <summary>Dimensions as people write them: <c>-1</c>, <c>4</c>, <c>1:8</c>.</summary>
internal static class DimensionText
{
    /// <param name="text">Spaces around numbers are ignored.</param>
    /// <param name="min">The smallest size allowed.</param>
    /// <param name="range">What it means.</param>
    public static bool TryParse(ReadOnlySpan<char> text, long min, out DimensionRange range)
    {
        text = text.Trim();
        var colon = text.IndexOf(':');
        var first = colon < 0 ? text : text[..colon].TrimEnd();
        var last = colon < 0 ? text : text[(colon + 1)..].TrimStart();
        if (text is "-1")
        {
            range = DimensionRange.Any;
            return true;
        }

        if (TrySize(first, out var from) && TrySize(last, out var to) && from >= min && from <= to)
        {
            range = new DimensionRange(from, to);
            return true;
        }

        range = default;
        return false;
    }

    /// <summary>An integer or a string of a JSON file; null and an error if it is neither or out of range.</summary>
    public static DimensionRange? Read(string path, JsonItem item, long min, JsonErrors errors)
    {
        if (item.Kind is JsonValueKind.Number or JsonValueKind.String && TryParse(item.Text, min, out var range))
        {
            return range;
        }

        errors.Expected(path, item, $"-1 for any size, an integer of at least {min}, or a range such as \"1:8\"");
        return null;
    }

    private static bool TrySize(ReadOnlySpan<char> text, out long size) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size);
}
