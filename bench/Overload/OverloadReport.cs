using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;
using Cluster.Bench.Serving;

namespace Cluster.Bench.Overload;

/// <summary>One load of the benchmark.</summary>
/// <param name="ServerProcessors">That the server took on average, warm-up included.</param>
/// <param name="MemoryMib">Resident in the server when the load had ended.</param>
internal sealed record OverloadPhase(string Name, LoadPoint Load, double ServerProcessors, double OthersPercent, double MemoryMib);

/// <summary>The JSON report's root.</summary>
/// <param name="DelayMs">Of the model's queue.</param>
internal sealed record OverloadReport(DateTimeOffset Started, Machine Machine, int DelayMs, IReadOnlyList<OverloadPhase> Phases)
{
    public BenchmarkReport ToReport(int wrong)
    {
        var text = new StringBuilder();
        Line(text, $"overload, {Started:u}");
        Line(text, $"machine: {Machine}");
        Line(text, $"gRPC, a model whose queue takes what waits for less than {DelayMs} ms; peak: 32 callers of the same model without that limit");
        Line(text, $"of peak: answers a second, by the mean of the peaks before and after. left: the same for each processor that the load generator leaves");
        text.AppendLine();
        Line(text, $"{"load",-12}{"due/s",8}{"answered/s",12}{"of peak",9}{"left",7}{"p50 ms",9}{"p99 ms",9}{"refused",9}{"p99 ms",9}{"server",8}{"client",8}{"MiB",7}{"others %",10}");
        for (var i = 0; i < Phases.Count; i++)
        {
            var phase = Phases[i];
            var load = phase.Load;
            var (ofPeak, left) = Ratios(i);
            text.Append(CultureInfo.InvariantCulture, $"{phase.Name,-12}{(load.Rate > 0 ? load.Rate.ToString("0", CultureInfo.InvariantCulture) : "-"),8}{load.Answered,12:0.0}{ofPeak,9:0.00}{left,7:0.00}");
            text.Append(CultureInfo.InvariantCulture, $"{load.P50,9:0.0}{load.P99,9:0.0}{load.Failed.Values.Sum(),9}{load.FailedP99,9:0.0}{phase.ServerProcessors,8:0.00}{load.ClientProcessors,8:0.00}");
            Line(text, $"{phase.MemoryMib,7:0}{phase.OthersPercent,10:0.0}");
        }

        foreach (var status in Phases.SelectMany(static phase => phase.Load.Failed.Keys).Distinct(StringComparer.Ordinal))
        {
            Line(text, $"refused with {status}: {Phases.Sum(phase => phase.Load.Failed.GetValueOrDefault(status))}");
        }

        text.AppendLine(wrong == 0 ? "the answer after it is the one before it" : "WRONG: the answer after it is not the one before it");
        return new BenchmarkReport(text.ToString(), this, wrong);
    }

    /// <summary>Answers by those of the peaks on either side, and by those for each processor that is not the generator's.</summary>
    private (double OfPeak, double Left) Ratios(int index)
    {
        var peaks = new[] { Phases.Take(index + 1).LastOrDefault(IsPeak), Phases.Skip(index).FirstOrDefault(IsPeak) }.OfType<OverloadPhase>().ToList();
        var (phase, peak) = (Phases[index], peaks.Average(static one => one.Load.Answered));
        return (phase.Load.Answered / peak, phase.Load.Answered / Left(phase) / peaks.Average(one => one.Load.Answered / Left(one)));

        double Left(OverloadPhase one) => Machine.Cores - one.Load.ClientProcessors;
    }

    private static bool IsPeak(OverloadPhase phase) => phase.Name.StartsWith("peak", StringComparison.Ordinal);

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
