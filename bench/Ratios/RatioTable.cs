using System.Globalization;
using System.Text;

namespace Cluster.Bench.Ratios;

/// <summary>Cases as lines of text, one a figure.</summary>
internal static class RatioTable
{
    /// <summary>What others may take before the figures say more about them.</summary>
    private const double QuietPercent = 5;

    public static void Append(StringBuilder text, string first, string second, IReadOnlyList<CaseReport> cases)
    {
        Line(text, $"{"case",-24}{"",-22}{first,14}{second,14}{"ratio",9}{"least",8}{"most",8}{"others %",10}");
        foreach (var one in cases)
        {
            for (var i = 0; i < one.Figures.Count; i++)
            {
                var figure = one.Figures[i];
                text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? one.Name : ""),-24}{figure.Name,-22}{Number(figure.First),14}{Number(figure.Second),14}");
                text.Append(CultureInfo.InvariantCulture, $"{Ratio(figure.Ratio),9}{Ratio(figure.LeastRatio),8}{Ratio(figure.MostRatio),8}");
                Line(text, $"{(i == 0 ? one.OthersPercent.ToString("N1", CultureInfo.InvariantCulture) : ""),10}");
            }

            if (one.Failure is not null)
            {
                Line(text, $"{one.Name,-24}FAILED: {one.Failure}");
            }
        }

        Line(text, $"ratio: {second} ÷ {first} of the same round, the median of all rounds");
        if (cases.Select(static one => one.OthersPercent).DefaultIfEmpty().Max() is > QuietPercent and var most)
        {
            Line(text, $"NOT QUIET: other processes took up to {most:N0} % of the machine; do not compare these figures with other runs");
        }
    }

    /// <summary>Decimals where they matter.</summary>
    private static string Number(double value) => value.ToString(Math.Abs(value) < 100 ? "N2" : "N0", CultureInfo.InvariantCulture);

    private static string Ratio(double value) =>
        value.ToString(value switch { >= 100 => "N0", >= 10 => "N1", >= 0.1 => "N3", _ => "N4" }, CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
