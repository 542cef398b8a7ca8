using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>A folder of 1,000 models, three silos and a gateway: all processes but Redis end and start again; until every model serves.</summary>
/// <param name="root">The checkout's.</param>
internal sealed class RestartCase(string name, string root) : CompareCase(name)
{
    private const int Silos = 3;
    private const int Models = 1_000;

    public override int MostRounds => 3;

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        using var models = new ModelFolder();
        var file = await File.ReadAllBytesAsync(Path.Combine(root, ModelFolder.IdentityFile), cancellationToken);
        for (var number = 0; number < Models; number++)
        {
            models.Add(string.Create(CultureInfo.InvariantCulture, $"kept-{number}"), file);
        }

        var first = Stopwatch.GetTimestamp();
        await using var cluster = await BenchCluster.StartAsync(build.Build.SiloProgram, models.Path, Silos, 1, cancellationToken);
        await AllServeAsync(cluster, cancellationToken);
        var firstSeconds = Stopwatch.GetElapsedTime(first).TotalSeconds;
        await cluster.EndAsync();
        var again = Stopwatch.GetTimestamp();
        await cluster.StartAsync(Silos, 1, cancellationToken);
        var meter = new CpuMeter(cluster.ProcessIds);
        var memberSeconds = Stopwatch.GetElapsedTime(again).TotalSeconds;
        await AllServeAsync(cluster, cancellationToken);
        return new Sample(
            meter.Read().OthersPercent,
            new Figure("first start s", firstSeconds),
            new Figure("whole s", memberSeconds),
            new Figure("all serve again s", Stopwatch.GetElapsedTime(again).TotalSeconds));
    }

    private static Task AllServeAsync(BenchCluster cluster, CancellationToken cancellationToken) => cluster.UntilAsync(
        cluster.Gateways[0], static view => view.Holders.Values.Count(static holders => holders.Count > 0) >= Models, "all models serve", cancellationToken);
}
