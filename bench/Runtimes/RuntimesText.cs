using System.Globalization;
using System.Text;
using Cluster.Bench.Messaging;
using Cluster.Bench.Silos;

namespace Cluster.Bench.Runtimes;

/// <summary>The report as plain tables.</summary>
internal static class RuntimesText
{
    /// <summary>How much faster than Orleans the embedded runtime is to be, by the payload's bytes.</summary>
    private static readonly Dictionary<int, double> Targets = new() { [1 << 10] = 1.2, [64 << 10] = 2, [600 << 10] = 2 };

    /// <summary>The same of the time until all is served again.</summary>
    private const double RecoveryTarget = 4;

    public static string Format(RuntimesReport report)
    {
        var text = new StringBuilder();
        Line(text, $"runtimes, {report.Started:u}: {report.Seconds} s a cell after {report.WarmUpSeconds} s of warm-up");
        Line(text, $"machine: {report.Machine}");
        Line(text, $"The same grains, silos and gateways on either actor runtime, all processes on this machine, with the settings that we give each.");
        if (report.Calls.Count > 0)
        {
            AppendCalls(text, report.Calls);
        }

        if (report.Serving is { } serving)
        {
            Line(text, $"\ngRPC through a gateway to a silo");
            ClusterText.Append(text, serving);
        }

        if (report.Kills.Count > 0)
        {
            AppendKills(text, report.Kills);
        }

        text.AppendLine();
        Line(text, report.Failures == 0 ? $"failures outside of kills: none" : (FormattableString)$"FAILURES outside of kills: {report.Failures}");
        return text.ToString();
    }

    private static void AppendCalls(StringBuilder text, IReadOnlyList<MessagingReport> reports)
    {
        Line(text, $"\ngrain calls a second, from a client process to a silo process");
        text.Append(CultureInfo.InvariantCulture, $"  {"payload",-10}{"in flight",10}");
        foreach (var report in reports)
        {
            text.Append(CultureInfo.InvariantCulture, $"{report.Runtime,12}{"p99 µs",10}");
        }

        Line(text, $"{"ratio",8}{"target",8}{"others %",10}");
        for (var i = 0; i < reports[0].Cells.Count; i++)
        {
            var cells = reports.Select(report => report.Cells[i]).ToList();
            text.Append(CultureInfo.InvariantCulture, $"  {cells[0].Bytes >> 10,4} KiB  {cells[0].InFlight,10}");
            foreach (var cell in cells)
            {
                text.Append(CultureInfo.InvariantCulture, $"{cell.CallsPerSecond,12:N0}{cell.P99Microseconds,10:N0}");
            }

            var ratio = cells.Count > 1 ? cells[0].CallsPerSecond / cells[1].CallsPerSecond : (double?)null;
            Line(text, $"{ratio,8:0.00}{Targets[cells[0].Bytes],8:0.0}{cells.Max(static cell => cell.OthersPercent),10:N1}");
        }

        foreach (var report in reports)
        {
            Line(text, $"  {report.Runtime}: 32 calls on their way when the silo is killed have failed after {report.PendingFailedMilliseconds:N1} ms");
        }
    }

    private static void AppendKills(StringBuilder text, IReadOnlyList<RuntimeKills> runtimes)
    {
        foreach (var runtime in runtimes)
        {
            Line(text, $"\n{runtime.Runtime}");
            ClusterText.Append(text, runtime.Kills);
        }

        Line(text, $"\n  {"whole again, median ms",-26}{"ms",12}{"÷ embedded",12}{"target",8}");
        var embedded = runtimes[0].WholeAgainMedian;
        foreach (var runtime in runtimes)
        {
            var median = runtime.WholeAgainMedian;
            Line(text, $"  {runtime.Runtime,-26}{median?.ToString("N1", CultureInfo.InvariantCulture) ?? "later",12}{median / embedded,12:0.0}{(runtime == runtimes[0] ? null : RecoveryTarget),8:0.0}");
        }
    }

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
