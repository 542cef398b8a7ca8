using System.Globalization;
using System.Text;

namespace Cluster.Bench.Overhead;

/// <summary>The report as plain tables.</summary>
internal static class OverheadText
{
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

        Line(text, $"  {"",-11}{"in flight",10}{"conns",7}{"req/s",12}{"p50 µs",11}{"p99 µs",11}{"server CPU µs",15}{"client CPU µs",15}{"failed",8}");
        foreach (var cell in model.Cells)
        {
            Line(
                text,
                $"  {Name(cell.Way),-11}{cell.Concurrency,10}{cell.Connections,7}{cell.RequestsPerSecond,12:N0}{cell.P50Micros,11:N1}{cell.P99Micros,11:N1}{Number(cell.ServerCpuMicros, "N1"),15}{Number(cell.ClientCpuMicros, "N1"),15}{cell.Failures,8}");
            if (cell.FirstFailure is not null)
            {
                Line(text, $"    first failure: {cell.FirstFailure}");
            }
        }

        Line(text, $"  {"ratio",-22}{"load",10}{"req/s",10}{"p50",10}{"p99",10}{"server CPU",12}{"added CPU µs",14}");
        foreach (var ratio in model.Ratios)
        {
            Line(
                text,
                $"  {Name(ratio.Of) + " ÷ " + Name(ratio.To),-22}{(ratio.Saturating ? "saturated" : "single"),10}{Number(ratio.RequestsPerSecond, "0.000"),10}{Number(ratio.P50, "0.00"),10}{Number(ratio.P99, "0.00"),10}{Number(ratio.ServerCpu, "0.00"),12}{Number(ratio.AddedServerCpuMicros, "N1"),14}");
        }
    }

    private static string Name(Way way) => way switch
    {
        Way.Grpc => "gRPC",
        Way.Rest => "REST",
        _ => "in process",
    };

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
