using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cluster.Bench.Framework;

/// <summary>Writes a report twice under <c>artifacts/bench</c>: as text for people, as JSON for comparisons; and its chart as SVG.</summary>
internal static class ReportFiles
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <returns>The text file's path relative to <paramref name="root"/>; the JSON file lies beside it.</returns>
    public static string Write(string root, string name, DateTimeOffset time, BenchmarkReport report)
    {
        var stem = Path.Combine("artifacts", "bench", $"{name}-{time.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}");
        var path = Path.Combine(root, stem);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path + ".txt", report.Text);
        File.WriteAllText(path + ".json", JsonSerializer.Serialize(report.Data, Json) + "\n");
        if (report.Chart is { } chart)
        {
            File.WriteAllText(path + ".svg", chart);
        }

        return stem + ".txt";
    }

    /// <summary>Reads what was written as JSON.</summary>
    public static T Read<T>(string path)
    {
        using var file = File.OpenRead(path);
        return JsonSerializer.Deserialize<T>(file, Json) ?? throw new BenchmarkException($"there is nothing in {path}");
    }
}
