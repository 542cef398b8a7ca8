using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;
using Cluster.Bench.Ratios;

namespace Cluster.Bench.OpenVino;

/// <summary>The three tables, and their JSON.</summary>
/// <param name="OnnxRuntime">The version that both providers are of.</param>
/// <param name="Notes">Lines above the tables.</param>
internal sealed record OpenVinoReport(
    string Benchmark, DateTimeOffset Started, Machine Machine, string OnnxRuntime, IReadOnlyList<string> Notes, IReadOnlyList<LoadingFigures> Loading, IReadOnlyList<CaseReport> Providers, IReadOnlyList<CaseReport> Overhead)
{
    public BenchmarkReport ToReport()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Benchmark}, {Started:u}");
        text.AppendLine(CultureInfo.InvariantCulture, $"machine: {Machine}; both providers of ONNX Runtime {OnnxRuntime}; {OpenVinoModel.Streams} streams or slots of one thread");
        foreach (var note in Notes)
        {
            text.AppendLine(note);
        }

        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{"model",-20}{"provider",-20}{"first load ms",14}{"next loads ms",14}{"MiB resident",14}");
        foreach (var one in Loading)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{one.Model,-20}{one.Provider,-20}{one.FirstMs,14:N0}{one.NextMs,14:N0}{one.ResidentMib,14:N0}");
        }

        text.AppendLine("MiB resident: of a process that serves this model alone, after the loads");
        text.AppendLine();
        RatioTable.Append(text, "CPU", "OpenVINO", Providers);
        text.AppendLine();
        RatioTable.Append(text, "in process", "served", Overhead);
        var failures = Providers.Concat(Overhead).LongCount(static one => one.Failure is not null);
        text.AppendLine().AppendLine(failures == 0 ? "every answer was right" : string.Create(CultureInfo.InvariantCulture, $"FAILED CASES: {failures}"));
        return new BenchmarkReport(text.ToString(), this, failures);
    }
}
