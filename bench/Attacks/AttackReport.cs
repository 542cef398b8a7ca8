using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;
using Cluster.Tests.Common;

namespace Cluster.Bench.Attacks;

/// <summary>The JSON report's root.</summary>
/// <param name="Rate">Requests a second of the client that behaves, where an attack has none of its own.</param>
internal sealed record AttackReport(
    string Benchmark, DateTimeOffset Started, Machine Machine, double QuietSeconds, double Seconds, int Rate, IReadOnlyList<AttackRow> Rows)
{
    private const double MostRatio = 2;

    public BenchmarkReport ToReport()
    {
        var text = new StringBuilder();
        Line(text, $"{Benchmark}, {Started:u}: {Seconds:0.#} s each, after {QuietSeconds:0.#} s without");
        Line(text, $"machine: {Machine}");
        Line(text, $"A client sends {Rate} requests a second (10 to the slow model) over REST. Attackers have a process of niceness 19; what the server does for them takes its own processors.");
        text.AppendLine().AppendLine(Head());
        foreach (var row in Rows)
        {
            text.AppendLine(Row(row));
        }

        text.AppendLine();
        foreach (var row in Rows.Where(static row => row.Beside.FirstFailure is not null))
        {
            Line(text, $"{row.Attack}: {row.Beside.FirstFailure}");
        }

        var above = Rows.Where(static row => row.Ratio > MostRatio).Select(static row => row.Attack).ToList();
        Line(text, $"p99 more than {MostRatio:0} × of quiet: {(above.Count == 0 ? "none" : string.Join(", ", above))}");
        return new BenchmarkReport(text.ToString(), this, Rows.Sum(static row => (long)row.Beside.Failed + row.Alone.Failed + (row.IsBack ? 0 : 1)));
    }

    /// <summary>An attack's line of the table.</summary>
    public static string Row(AttackRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Attack,-42}{row.Tries,9}{row.Alone.P50,9:0.0}{row.Alone.P99,9:0.0}{row.Beside.P50,9:0.0}{row.Beside.P99,9:0.0}{row.Ratio,7:0.00}{row.Beside.Failed,7}  ")
        + Vitals(row, static vitals => vitals.ResidentMiB) + Vitals(row, static vitals => vitals.Handles) + Vitals(row, static vitals => vitals.Threads) + (row.IsBack ? "" : "NOT BACK");

    private static string Head() =>
        $"{"attack",-42}{"tries",9}{"p50 ms",9}{"p99",9}{"under it",9}{"p99",9}{"ratio",7}{"failed",7}  {"MiB before/under/after",-24}{"descriptors",-24}{"threads",-24}";

    private static string Vitals(AttackRow row, Func<ProcessVitals, double> of) =>
        string.Create(CultureInfo.InvariantCulture, $"{$"{of(row.Before):0}/{of(row.During):0}/{of(row.After):0}",-24}");

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}

/// <summary>One attack.</summary>
/// <param name="Tries">Connections or requests of the attackers; null where they did not say.</param>
/// <param name="Alone">What the client that behaves had before.</param>
/// <param name="Beside">What it had meanwhile.</param>
/// <param name="IsBack">Whether memory, descriptors and threads returned to their level.</param>
internal sealed record AttackRow(
    string Attack, string Limit, long? Tries, BehavedFigures Alone, BehavedFigures Beside, ProcessVitals Before, ProcessVitals During, ProcessVitals After, bool IsBack)
{
    /// <summary>p99 under the attack to that without.</summary>
    public double Ratio => Math.Round(Beside.P99 / Alone.P99, 2);
}
