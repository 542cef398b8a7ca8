using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Ratios;

/// <summary>The JSON report's root of a benchmark that is one table.</summary>
/// <param name="First">What the ratios are relative to.</param>
/// <param name="Notes">Lines above the table.</param>
internal sealed record RatioReport(
    string Benchmark, DateTimeOffset Started, Machine Machine, string First, string Second, IReadOnlyList<string> Notes, IReadOnlyList<CaseReport> Cases)
{
    public BenchmarkReport ToReport()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Benchmark}, {Started:u}");
        text.AppendLine(CultureInfo.InvariantCulture, $"machine: {Machine}");
        text.AppendJoin('\n', Notes).AppendLine().AppendLine();
        RatioTable.Append(text, First, Second, Cases);
        var failures = Cases.LongCount(static one => one.Failure is not null);
        text.AppendLine().AppendLine(failures == 0 ? "every answer was right" : string.Create(CultureInfo.InvariantCulture, $"FAILED CASES: {failures}"));
        return new BenchmarkReport(text.ToString(), this, failures);
    }
}
