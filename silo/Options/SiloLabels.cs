using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Cluster.Silo.Options;

/// <summary>Reads the option <c>--labels</c>.</summary>
internal static partial class SiloLabels
{
    /// <param name="text">Names separated by commas; empty for none.</param>
    public static bool TryParse(string text, out ImmutableSortedSet<string> labels)
    {
        labels = text.Length == 0 ? [] : text.Split(',', StringSplitOptions.TrimEntries).ToImmutableSortedSet(StringComparer.Ordinal);
        return labels.All(label => Label().IsMatch(label));
    }

    /// <summary>The labels. The text is valid.</summary>
    public static ImmutableSortedSet<string> Of(string text) => TryParse(text, out var labels) ? labels : [];

    [GeneratedRegex("^[A-Za-z0-9._-]{1,63}$")]
    private static partial Regex Label();
}
