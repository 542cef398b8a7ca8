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
                await context.Progress.WriteLineAsync(FaultReport.Row(report));
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

        TestCluster? cluster = null;
        CellReport report;
        try
        {
            cluster = await clusters.TakeAsync();
            report = await new FaultRun(cluster, cell, lasting).MeasureAsync(cancellationToken);
        }
        catch (Exception error) when (error is TimeoutException or GrpcCallException or HttpRequestException or InvalidOperationException)
        {
            // A cluster that does not start says in the message what its processes wrote.
            await SaveLogsAsync(cluster, cell, error.Message, context.Root, cancellationToken);
            await clusters.DisposeAsync();
            return CellReport.Fail(cell, error.Message.Split('\n')[0]);
        }

        var left = await clusters.GiveBackAsync();
        if (left is not null || !report.AsExpected)
        {
            await SaveLogsAsync(cluster, cell, left, context.Root, cancellationToken);
        }

        if (left is null)
        {
            return report;
        }

        // What is left of this cell would be taken for what the next one does.
        await clusters.DisposeAsync();
        return report with { AsExpected = false, Seen = [.. report.Seen!, "two minutes after the cell the cluster has not become whole and empty; its log says what is left"] };
    }

    private static Task SaveLogsAsync(TestCluster? cluster, FaultCell cell, string? left, string root, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, LogFolder));
        return File.WriteAllTextAsync(Path.Combine(folder.FullName, cell.Name.Replace('/', '-') + ".log"), $"{left}\n{(cluster is null ? "" : Logs(cluster))}", cancellationToken);
    }

    private static string Logs(TestCluster cluster) => string.Join(
        '\n', cluster.Silos.Concat(cluster.Gateways).Select(static process => $"--- {process.Name} {process.Silo}, the last lines:\n{process.Tail(LinesKept)}"));
}
