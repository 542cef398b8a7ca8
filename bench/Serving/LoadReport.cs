using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Serving;

/// <summary>All loads of one run, as they are written to JSON.</summary>
internal sealed record LoadReport(string Model, DateTimeOffset Date, Machine Machine, IReadOnlyList<LoadPoint> Points)
{
    /// <param name="earlier">To compare with; null for none.</param>
    public BenchmarkReport ToReport(ServedModel model, LoadReport? earlier)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"model {Model}: {string.Join(", ", model.Inputs.Select(static input => $"{input.Name} {input.Datatype} [{string.Join(',', input.Shape)}]"))}");
        text.AppendLine(CultureInfo.InvariantCulture, $"{Machine.Processor}, {Machine.Cores} processors, load average {Machine.LoadAverage} before");
        text.AppendLine();
        text.AppendLine("protocol  load            answered/s     p50 ms     p90 ms     p99 ms     max ms   failed  refusal p99 ms  client CPUs");
        foreach (var point in Points)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{point.Protocol,-9} {point.Load,-14} {point.Answered,11:F1} {point.P50,10:F2} {point.P90,10:F2} {point.P99,10:F2} {point.Max,10:F2} {point.Failed.Values.Sum(),8} {point.FailedP99,15:F2} {point.ClientProcessors,12:F2}");
            foreach (var (failure, count) in point.Failed)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"          {count} × {failure}");
            }

            if (earlier?.Points.FirstOrDefault(other => (other.Protocol, other.Load) == (point.Protocol, point.Load)) is { } before)
            {
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"  ÷ before{' ',15} {point.Answered / before.Answered,11:F3} {point.P50 / before.P50,10:F3} {point.P90 / before.P90,10:F3} {point.P99 / before.P99,10:F3} {point.Max / before.Max,10:F3}");
            }
        }

        text.AppendLine();
        text.AppendLine("Latency counts from when a request was due, where the load is a rate. Client and server share the processors if they run on one machine.");
        return new BenchmarkReport(text.ToString(), this, 0)
        {
            Chart = LatencyChart.Draw($"{Model}, {Date.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}", Points),
        };
    }
}
