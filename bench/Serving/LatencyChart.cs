using System.Globalization;
using System.Text;

namespace Cluster.Bench.Serving;

/// <summary>Draws latency by percentile as SVG, both axes logarithmic: each nine, and each factor of ten, is as wide as the one before.</summary>
internal static class LatencyChart
{
    private const int Width = 760, Height = 420, Left = 70, Right = 190, Top = 30, Bottom = 50;

    private static readonly string[] Colours = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#17becf"];

    public static string Draw(string title, IReadOnlyList<LoadPoint> points)
    {
        var drawn = points.Where(static point => point.Max > 0).ToList();
        var least = Math.Pow(10, Math.Floor(Math.Log10(drawn.Select(static point => point.Curve.Where(static value => value > 0).DefaultIfEmpty(1).Min()).DefaultIfEmpty(1).Min())));
        var most = Math.Pow(10, Math.Ceiling(Math.Log10(Math.Max(least * 10, drawn.Select(static point => point.Max).DefaultIfEmpty(1).Max()))));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">""");
        svg.Append(CultureInfo.InvariantCulture, $"""<rect width="{Width}" height="{Height}" fill="white"/><text x="{Left}" y="18" font-size="14">{Escape(title)}</text>""");
        for (var value = least; value <= most * 1.001; value *= 10)
        {
            svg.Append(CultureInfo.InvariantCulture, $"""<line x1="{Left}" x2="{Width - Right}" y1="{Y(value):0.#}" y2="{Y(value):0.#}" stroke="#ddd"/><text x="{Left - 6}" y="{Y(value) + 4:0.#}" text-anchor="end">{value:0.###} ms</text>""");
        }

        foreach (var percentile in new[] { 0, 50, 90, 99, 99.9, 99.99 })
        {
            svg.Append(CultureInfo.InvariantCulture, $"""<line x1="{X(percentile):0.#}" x2="{X(percentile):0.#}" y1="{Top}" y2="{Height - Bottom}" stroke="#ddd"/><text x="{X(percentile):0.#}" y="{Height - Bottom + 18}" text-anchor="middle">{percentile} %</text>""");
        }

        for (var i = 0; i < drawn.Count; i++)
        {
            var line = string.Join(' ', drawn[i].Curve.Select((value, at) => FormattableString.Invariant($"{X(LoadPoint.Percentiles[at]):0.#},{Y(Math.Max(least, value)):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"""<polyline points="{line}" fill="none" stroke="{Colours[i % Colours.Length]}" stroke-width="2"/>""");
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{Width - Right + 10}" y="{Top + 14 + (i * 18)}" fill="{Colours[i % Colours.Length]}">{Escape($"{drawn[i].Protocol}, {drawn[i].Load}")}</text>""");
        }

        return svg.Append("</svg>\n").ToString();

        static double X(double percentile) => Left + (Math.Log10(100 / Math.Max(0.01, 100 - percentile)) / 4 * (Width - Left - Right));

        double Y(double value) => Height - Bottom - (Math.Log10(value / least) / Math.Log10(most / least) * (Height - Top - Bottom));
    }

    private static string Escape(string text) => System.Security.SecurityElement.Escape(text);
}
