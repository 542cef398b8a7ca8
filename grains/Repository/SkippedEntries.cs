using System.Text.Json;

namespace Cluster.Grains.Repository;

/// <summary>What in a model's folder is no version.</summary>
internal static class SkippedEntries
{
    private const int MaxShown = 5;

    public static string Describe(string model, List<string> names)
    {
        var shown = string.Join(", ", names.Take(MaxShown).Select(name => JsonSerializer.Serialize(name)));
        var more = names.Count > MaxShown ? $" and {names.Count - MaxShown} more" : "";
        return $"model '{model}': ignored in its folder, versions are positive numbers without leading zeros: {shown}{more}";
    }
}
