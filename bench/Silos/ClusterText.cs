using System.Globalization;
using System.Text;

namespace Cluster.Bench.Silos;

/// <summary>The report as plain tables.</summary>
internal static class ClusterText
{
    /// <summary>What others may take before the figures say more about them.</summary>
    private const double QuietPercent = 5;

    public static string Format(ClusterReport report)
    {
        var text = new StringBuilder();
        Line(text, $"cluster, {report.Started:u}: {report.Seconds} s a cell after {report.WarmUpSeconds} s of warm-up");
        Line(text, $"machine: {report.Machine}");
        Line(text, $"Client, gateways, silos and Redis share the machine, all with default settings.");
        Line(text, $"CPU is user + system time a request, of all server processes.");
        Line(text, $"Grain calls between two processes, without a model: bench/run messaging.");
        if (report.Serving is { } serving)
        {
            Line(text, $"\ngRPC through a gateway to a silo, against one process that does both");
            Append(text, serving);
        }

        Append(text, report.Cold);
        Append(text, report.Kills);
        Append(text, report.Many);
        text.AppendLine();
        if (report.OthersPercent > QuietPercent)
        {
            Line(text, $"NOT QUIET: other processes took up to {report.OthersPercent:N0} % of the machine; do not compare these figures with other runs");
        }

        Line(text, report.Failures == 0 ? $"failures: none" : (FormattableString)$"FAILURES: {report.Failures}");
        return text.ToString();
    }

    public static void Append(StringBuilder text, ComparisonReport report)
    {
        Line(text, $"  {"",-15}{"model",-12}{"in flight",10}{"req/s",11}{"p50 µs",10}{"p99 µs",10}{"server CPU µs",15}{"others %",10}{"failed",8}");
        foreach (var cell in report.Cells)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {cell.Of,-15}{cell.Model,-12}{cell.InFlight,10}{cell.RequestsPerSecond,11:N0}");
            Line(text, $"{cell.P50Micros,10:N1}{cell.P99Micros,10:N1}{cell.ServerCpuMicros,15:N1}{cell.OthersPercent,10:N1}{cell.Failures,8}");
            AppendFailure(text, cell.FirstFailure);
        }

        Line(text, $"  {"ratio",-31}{"model",-12}{"in flight",10}{"req/s",8}{"p50",8}{"p99",8}{"server CPU",12}");
        foreach (var ratio in report.Ratios)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {ratio.Of + " ÷ " + ratio.To,-31}{ratio.Model,-12}{ratio.InFlight,10}");
            Line(text, $"{ratio.RequestsPerSecond,8:0.00}{ratio.P50,8:0.00}{ratio.P99,8:0.00}{ratio.ServerCpu,12:0.00}");
        }
    }

    private static void Append(StringBuilder text, IReadOnlyList<ColdReport>? models)
    {
        if (models is null)
        {
            return;
        }

        Line(text, $"\nfirst request through a gateway for a model that is registered and in nobody's memory (medians, ms)");
        text.Append(CultureInfo.InvariantCulture, $"  {"model",-12}{"loads",7}{"first",9}{"warm",9}{"added",9}");
        Line(text, $"{"least",9}{"most",9}{"in process",12}{"others %",10}{"failed",8}");
        foreach (var model in models)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {model.Model,-12}{model.Loads,7}{model.FirstMedian,9:N2}{model.WarmMedian,9:N2}{model.AddedMedian,9:N2}");
            Line(text, $"{model.AddedLeast,9:N2}{model.AddedMost,9:N2}{model.InProcessMedian,12:N2}{model.OthersPercent,10:N1}{model.Failures,8}");
            AppendFailure(text, model.FirstFailure);
        }

        Line(text, $"  in process: ONNX Runtime loads the same file and runs it once, in the client");
    }

    public static void Append(StringBuilder text, IReadOnlyList<KillReport>? kills)
    {
        if (kills is null)
        {
            return;
        }

        Line(text, $"\nthe silo that holds the most killed (SIGKILL): {KillPart.Silos} silos, {KillPart.Gateways} gateways, {KillPart.Rate} requests/s open loop");
        Line(text, $"over {KillPart.OneCopyModels} models with one copy and {KillPart.TwoCopyModels} with two (ms)");
        text.Append(CultureInfo.InvariantCulture, $"  {"",-6}{"held 1-copy",12}{"held 2-copy",12}{"requests",10}{"failed",8}{"longest before",16}");
        Line(text, $"{"longest 1-copy",16}{"longest 2-copy",16}{"whole again",13}{"others %",10}");
        for (var i = 0; i < kills.Count; i++)
        {
            var kill = kills[i];
            text.Append(CultureInfo.InvariantCulture, $"  {i + 1,-6}{kill.OneCopyHeld,12}{kill.TwoCopiesHeld,12}");
            text.Append(CultureInfo.InvariantCulture, $"{kill.Requests,10}{kill.Failures,8}{kill.LongestBefore,16:N1}");
            var whole = kill.WholeAgain?.ToString("N1", CultureInfo.InvariantCulture) ?? "never";
            Line(text, $"{kill.LongestOneCopy,16:N1}{kill.LongestTwoCopies,16:N1}{whole,13}{kill.OthersPercent,10:N1}");
            AppendFailure(text, kill.FirstFailure);
        }

        Line(text, $"  whole again: since the kill, every request answered within {KillPart.Ordinary} ms for a second on end");
    }

    private static void Append(StringBuilder text, ManyReport? many)
    {
        if (many is null)
        {
            return;
        }

        Line(text, $"\nmany models: registerModel calls for one tiny file, without loadNow; 1 gateway, 1 silo; one of the models is asked");
        text.Append(CultureInfo.InvariantCulture, $"  {"models",-10}{"registered s",14}{"idle CPU %",12}{"new gateway: ready s",22}{"answers s",11}{"failed",8}");
        Line(text, $"{"new silo s",12}{"gateway MiB",13}{"silo MiB",10}{"new gateway MiB",17}");
        foreach (var state in many.States)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {state.Models,-10:N0}{state.RegisterSeconds,14:N2}{state.IdlePercent,12:N1}");
            text.Append(CultureInfo.InvariantCulture, $"{state.ReadySeconds,22:N2}{state.GatewaySeconds,11:N2}{state.Failures,8}");
            Line(text, $"{state.SiloSeconds,12:N2}{state.GatewayMib,13:N0}{state.SiloMib,10:N0}{state.NewGatewayMib,17:N0}");
            AppendFailure(text, state.FirstFailure);
        }

        Append(text, many.Warm);
    }

    private static void AppendFailure(StringBuilder text, string? failure)
    {
        if (failure is not null)
        {
            Line(text, $"    first failure: {failure}");
        }
    }

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
