using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Messaging;
using Cluster.Bench.Ratios;

namespace Cluster.Bench.Compare;

/// <summary>Grain calls between two processes: the benchmark <c>messaging</c> of each build, run by its own program.</summary>
internal sealed class GrainCallsCase(string name, LoadPlan plan) : CompareCase(name)
{
    private const string ReportPrefix = "report: ";

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        var program = build.Build.BenchProgram;
        if (!File.Exists(program))
        {
            throw new InvalidDataException($"there is no {program}: build bench in Release there");
        }

        using var process = Process.Start(new ProcessStartInfo(program, ["messaging", "--seconds", Text(plan.Duration), "--warm-up", Text(plan.WarmUp)])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = build.Build.Root,
        })!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        var line = output.Split('\n').FirstOrDefault(static line => line.StartsWith(ReportPrefix, StringComparison.Ordinal));
        if (process.ExitCode != 0 || line is null)
        {
            throw new InvalidDataException($"'{program} messaging' ended with {process.ExitCode}");
        }

        var path = Path.ChangeExtension(Path.Combine(build.Build.Root, line[ReportPrefix.Length..].Split(' ')[0]), ".json");
        var cells = ReportFiles.Read<MessagingCells>(path).Cells;
        return new Sample(cells.Max(static cell => cell.OthersPercent), [.. cells.Select(Figure)]);
    }

    private static Figure Figure(MessagingCell cell) =>
        new(string.Create(CultureInfo.InvariantCulture, $"calls/s {cell.Bytes >> 10} KiB x {cell.InFlight}"), cell.CallsPerSecond);

    private static string Text(TimeSpan time) => time.TotalSeconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>What is read of a report; that of another build may hold more.</summary>
    private sealed record MessagingCells(IReadOnlyList<MessagingCell> Cells);
}
