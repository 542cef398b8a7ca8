using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Faults;

/// <summary>The JSON report's root.</summary>
/// <param name="Notes">Lines above the table.</param>
internal sealed record FaultReport(string Benchmark, DateTimeOffset Started, Machine Machine, int Silos, IReadOnlyList<string> Notes, IReadOnlyList<CellReport> Cells)
{
    public BenchmarkReport ToReport()
    {
        var text = new StringBuilder();
        Line(text, $"{Benchmark}, {Started:u}");
        Line(text, $"machine: {Machine}");
        text.AppendJoin('\n', Notes).AppendLine().AppendLine();
        Line(text, $"{"cell",-22}{"requests",9}{"failed",7}{"longest ms",11}{"before",7}{"slow",6}{"again s",8}  {"besides",7}{"failed",7}{"longest ms",11}{"whole s",8}  {"expected",-38}so");
        foreach (var cell in Cells)
        {
            text.AppendLine(Row(cell));
        }

        text.AppendLine();
        foreach (var cell in Cells.Where(static cell => cell.Seen is { Count: > 0 }))
        {
            Line(text, $"{cell.Cell}: {string.Join("; ", cell.Seen!)}");
        }

        text.AppendLine();
        foreach (var cell in Cells)
        {
            foreach (var failure in (cell.Steady?.Failures ?? []).Concat(cell.Besides?.Failures ?? []))
            {
                Line(text, $"{cell.Cell}: {failure}");
            }
        }

        var wrong = Cells.LongCount(static cell => !cell.AsExpected);
        Line(text, wrong == 0 ? $"every cell is as expected" : (FormattableString)$"CELLS THAT ARE NOT AS EXPECTED: {wrong}");
        return new BenchmarkReport(text.ToString(), this, wrong);
    }

    /// <summary>A cell's line of the table.</summary>
    public static string Row(CellReport cell)
    {
        if (cell.Steady is not { } steady)
        {
            return $"{cell.Cell,-22}{cell.NotMeasured}";
        }

        var again = steady.AgainSeconds?.ToString("0.00", CultureInfo.InvariantCulture) ?? "never";
        var whole = cell.Whole?.ToString("0.0", CultureInfo.InvariantCulture) ?? "never";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{cell.Cell,-22}{steady.Requests,9}{steady.Failed,7}{steady.LongestMs,11:0}{steady.LongestBeforeMs,7:0}{steady.Slow,6}{again,8}  ")
            + string.Create(CultureInfo.InvariantCulture, $"{cell.Besides?.Requests,7}{cell.Besides?.Failed,7}{cell.Besides?.LongestMs,11:0}{whole,8}  ")
            + $"{cell.Expected,-38}{(cell.AsExpected ? "yes" : "NO")}";
    }

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
