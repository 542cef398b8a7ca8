using System.Globalization;

namespace Cluster.Tests.Common;

/// <summary>One reading of <c>/metrics</c>.</summary>
public sealed class MetricsPage(string text)
{
    private readonly string[] _lines = text.Split('\n');

    public static async Task<MetricsPage> ReadAsync(HttpClient http, string server, CancellationToken cancellation = default) =>
        new(await http.GetStringAsync(new Uri(server + "/metrics"), cancellation));

    /// <summary>The sum of a family's series that have all of <paramref name="labels"/>, such as <c>name="slow"</c>; 0 without any.</summary>
    public double Sum(string family, params string[] labels) => _lines
        .Where(line => line.StartsWith(family, StringComparison.Ordinal) && line.AsSpan(family.Length) is ['{' or ' ', ..])
        .Where(line => labels.All(label => line.Contains(label, StringComparison.Ordinal)))
        .Sum(static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    public bool Has(string family) => _lines.Any(line => line.StartsWith(family, StringComparison.Ordinal) && line.AsSpan(family.Length) is ['{' or ' ', ..]);
}
