using System.Globalization;
using System.Text;

namespace Cluster.Bench.Compare;

/// <summary>The report as a table.</summary>
internal static class CompareText
{
    public static string Format(CompareReport report)
    {
        var text = new StringBuilder();
        Line(text, $"compare, {report.Started:u}: {report.Rounds} rounds, {report.Seconds} s a load");
        Line(text, $"machine: {report.Machine}");
        Line(text, $"base: {report.Base.Commit} in {report.Base.Root}");
        Line(text, $"new:  {report.New.Commit} in {report.New.Root}");
        Line(text, $"Medians over rounds; ratios are new ÷ base of the same round. CPU is of all processes of the server.");
        text.AppendLine();
        Line(text, $"{"case",-22}{"",-24}{"base",12}{"new",12}{"ratio",9}{"least",8}{"most",8}{"others %",10}");
        foreach (var one in report.Cases)
        {
            for (var i = 0; i < one.Figures.Count; i++)
            {
                var figure = one.Figures[i];
                text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? one.Name : ""),-22}{figure.Name,-24}{Number(figure.Base),12}{Number(figure.New),12}");
                text.Append(CultureInfo.InvariantCulture, $"{figure.Ratio,9:N3}{figure.LeastRatio,8:N2}{figure.MostRatio,8:N2}");
                Line(text, $"{(i == 0 ? one.OthersPercent.ToString("N1", CultureInfo.InvariantCulture) : ""),10}");
            }

            if (one.Failure is not null)
            {
                Line(text, $"{one.Name,-22}FAILED: {one.Failure}");
            }
        }

        text.AppendLine();
        Line(text, report.Failures == 0 ? $"every answer was right" : (FormattableString)$"FAILED CASES: {report.Failures}");
        return text.ToString();
    }

    /// <summary>Decimals where they matter.</summary>
    private static string Number(double value) => value.ToString(Math.Abs(value) < 100 ? "N2" : "N0", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
