using System.Globalization;
using Cluster.Bench.Framework;
using Cluster.Tests.Common;

namespace Cluster.Bench.Faults;

/// <summary>Every fault under load, with one replica and two: what clients see of it.</summary>
internal sealed class FaultBenchmark : IBenchmark
{
    private const int LinesKept = 300;
    private static readonly string LogFolder = Path.Combine("artifacts", "bench", "faults-logs");

    public string Name => "faults";

    public string Summary => "kills, hangs, cut networks and a lost Redis under load: failed requests, the longest wait, the time until it is over";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("silos", "N", "silos of the cluster; default 3"),
        new("seconds", "S", "how long a fault lasts; default 7, longer than a silo that hangs is believed"),
        new("only", "A,B/C", "only cells with these words: " + string.Join(", ", FaultList.All.Select(static fault => fault.Name)) + "; 1, 2; steady, cold, reload"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var silos = context.Arguments.Integer("silos", 3, 2, 9);
        var lasting = context.Arguments.Seconds("seconds", 7, 1, 120);
        var cells = FaultCell.Chosen(context.Arguments.Text("only"));
        if (!Requires.HasRedis)
        {
            throw new BenchmarkException("redis-server is not installed (Debian package redis-server)");
        }

        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        var reports = new List<CellReport>();
        await using (var clusters = new FaultClusters(silos))
        {
            foreach (var cell in cells)
            {
                var report = await MeasureAsync(clusters, cell, lasting, context, cancellationToken);
                await context.Progress.WriteLineAsync($"{cell.Name}: {report.Skipped ?? (report.AsExpected ? "as expected" : "NOT as expected")}");
                reports.Add(report);
            }
        }

        string[] notes =
        [
            string.Create(CultureInfo.InvariantCulture, $"{silos} silos, a gateway, a Redis; a fault lasts {lasting.TotalSeconds} s; 4 callers in a closed loop with pauses of 20 ms and no retries"),
            "slow: right answers after more than 100 ms; again: from the fault until the last slow or failed request had ended; before: the longest without the fault",
            "besides: first requests of cold models, or reloads; whole: from the fault until all silos were members again",
        ];
        return new FaultReport(Name, started, machine, silos, notes, reports).ToReport();
    }

    private static async Task<CellReport> MeasureAsync(FaultClusters clusters, FaultCell cell, TimeSpan lasting, BenchContext context, CancellationToken cancellationToken)
    {
        if (cell.Fault.NeedsNetwork && NetworkLab.MissingReason is { } reason)
        {
            return CellReport.Skip(cell, reason);
        }

        var cluster = await clusters.TakeAsync();
        CellReport report;
        try
        {
            report = await new FaultRun(cluster, cell, lasting).MeasureAsync(cancellationToken);
        }
        catch (TimeoutException error)
        {
            throw new BenchmarkException($"{cell.Name} cannot be measured: {error.Message}\n{Logs(cluster)}");
        }

        if (!report.AsExpected)
        {
            var folder = Directory.CreateDirectory(Path.Combine(context.Root, LogFolder));
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, cell.Name.Replace('/', '-') + ".log"), Logs(cluster), cancellationToken);
        }

        await clusters.GiveBackAsync(context.Progress);
        return report;
    }

    private static string Logs(TestCluster cluster) => string.Join(
        '\n', cluster.Silos.Concat(cluster.Gateways).Select(static process => $"--- {process.Name} {process.Silo}, the last lines:\n{process.Tail(LinesKept)}"));
}
