using System.Globalization;
using System.Text;

namespace Cluster.Bench.Overhead;

/// <summary>The report as plain tables.</summary>
internal static class OverheadText
{
    /// <summary>What others may take before the figures say more about them.</summary>
    private const double QuietPercent = 5;

    public static string Format(OverheadReport report)
    {
        var text = new StringBuilder();
        Line(text, $"overhead, {report.Started:u}: {report.Seconds} s a cell after {report.WarmUpSeconds} s of warm-up");
        Line(text, $"machine: {report.Machine}");
        Line(text, $"server: {report.Server}");
        Line(text, $"Client and server share the cores, so requests/s depend on both. in process: one session, 1 thread each call.");
        Line(text, $"CPU is user + system time a request; of the server process, or of this process for in-process calls.");
        foreach (var model in report.Models)
        {
            Append(text, model);
        }

        text.AppendLine();
        var others = report.Models.SelectMany(model => model.Cells).Select(cell => cell.OthersCpuPercent).DefaultIfEmpty().Max();
        if (others > QuietPercent)
        {
            Line(text, $"NOT QUIET: other processes took up to {others:N0} % of the machine during a cell; do not compare these figures with other runs");
        }

        Line(text, report.Failures == 0 ? $"failures: none" : (FormattableString)$"FAILURES: {report.Failures}");
        return text.ToString();
    }

    private static void Append(StringBuilder text, OverheadModelReport model)
    {
        text.AppendLine();
        Line(text, $"{model.Model}: {model.Note}");
        if (model.Skipped is not null)
        {
            Line(text, $"  skipped: {model.Skipped}");
            return;
        }

        AppendCells(text, model.Cells);
        AppendRatios(text, model.Ratios);
    }

    private static void AppendCells(StringBuilder text, IReadOnlyList<OverheadCell> cells)
    {
        text.Append(CultureInfo.InvariantCulture, $"  {"",-11}{"in flight",10}{"conns",7}{"req/s",12}{"p50 µs",11}{"p99 µs",11}");
        Line(text, $"{"server CPU µs",15}{"client CPU µs",15}{"others %",10}{"failed",8}");
        foreach (var cell in cells)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Name(cell.Way),-11}{cell.Concurrency,10}{cell.Connections,7}");
            text.Append(CultureInfo.InvariantCulture, $"{cell.RequestsPerSecond,12:N0}{Micros(cell.P50Micros),11}{Micros(cell.P99Micros),11}");
            Line(text, $"{Micros(cell.ServerCpuMicros),15}{Micros(cell.ClientCpuMicros),15}{cell.OthersCpuPercent,10:N1}{cell.Failures,8}");
            if (cell.FirstFailure is not null)
            {
                Line(text, $"    first failure: {cell.FirstFailure}");
            }
        }
    }

    private static void AppendRatios(StringBuilder text, IReadOnlyList<OverheadRatio> ratios)
    {
        Line(text, $"  {"ratio",-22}{"load",10}{"req/s",10}{"p50",10}{"p99",10}{"server CPU",12}{"added CPU µs",14}");
        foreach (var ratio in ratios)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Name(ratio.Of) + " ÷ " + Name(ratio.To),-22}{(ratio.Saturating ? "saturated" : "single"),10}");
            text.Append(CultureInfo.InvariantCulture, $"{Number(ratio.RequestsPerSecond, "0.0000"),10}{Number(ratio.P50, "0.00"),10}");
            Line(text, $"{Number(ratio.P99, "0.00"),10}{Number(ratio.ServerCpu, "0.00"),12}{Number(ratio.AddedServerCpuMicros, "N1"),14}");
        }
    }

    private static string Name(Way way) => way switch
    {
        Way.Grpc => "gRPC",
        Way.Rest => "REST",
        _ => "in process",
    };

    /// <summary>Two decimals where they matter.</summary>
    private static string Micros(double? value) => Number(value, value < 100 ? "N2" : "N1");

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
