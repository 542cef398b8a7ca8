using Cluster.Bench.Framework;
using Cluster.Bench.Server;

namespace Cluster.Bench.Silos;

/// <summary>Silos and gateways in processes of their own: what the way between them costs, and what happens when one dies.</summary>
internal sealed class ClusterBenchmark : IBenchmark
{
    private static readonly TimeSpan AfterKill = TimeSpan.FromSeconds(5);

    public string Name => "cluster";

    public string Summary => "gateway and silo against one process, cold loads, killed silos, thousands of models";

    public IReadOnlyList<OptionSpec> Options => ClusterSettings.Options;

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var settings = ClusterSettings.Read(context);
        try
        {
            return await MeasureAsync(settings, context, cancellationToken);
        }
        catch (Exception error) when (error is InvalidDataException or IOException or HttpRequestException)
        {
            throw new BenchmarkException($"a process of the cluster does not do as it should: {error.Message}");
        }
    }

    private async Task<BenchmarkReport> MeasureAsync(ClusterSettings settings, BenchContext context, CancellationToken cancellationToken)
    {
        var started = context.Time.GetUtcNow();
        var machine = Machine.Read();
        using var models = new BenchModels(context.Root);
        var (serving, cold) = await OneAndOneAsync(settings, models, context, cancellationToken);
        var kills = settings.Parts.Contains(ClusterSettings.Kill)
            ? await new KillPart(settings, models, context.Progress, AfterKill).RunAsync(cancellationToken)
            : null;
        var many = settings.Parts.Contains(ClusterSettings.Many)
            ? await new ManyPart(settings, models, context.Progress).RunAsync(cancellationToken)
            : null;

        IEnumerable<Cell> cells = [.. serving?.Cells ?? [], .. many?.Warm.Cells ?? []];
        var others = cells.Select(static cell => cell.OthersPercent)
            .Concat(cold?.Select(static model => model.OthersPercent) ?? [])
            .Concat(kills?.Select(static kill => kill.OthersPercent) ?? []);
        var failures = cells.Sum(static cell => cell.Failures)
            + (cold?.Sum(static model => model.Failures) ?? 0)
            + (kills?.Sum(static kill => kill.Failures) ?? 0)
            + (many?.States.Sum(static state => state.Failures) ?? 0);
        var report = new ClusterReport(
            Name, started, machine, settings.Plan.WarmUp.TotalSeconds, settings.Plan.Duration.TotalSeconds, serving, cold, kills, many, others.Max(), failures);
        return new BenchmarkReport(ClusterText.Format(report), report, failures);
    }

    /// <summary>The parts that take one gateway and one silo.</summary>
    private static async Task<(ComparisonReport? Serving, IReadOnlyList<ColdReport>? Cold)> OneAndOneAsync(
        ClusterSettings settings, BenchModels models, BenchContext context, CancellationToken cancellationToken)
    {
        var serve = settings.Parts.Contains(ClusterSettings.Serve);
        var cold = settings.Parts.Contains(ClusterSettings.Cold);
        if (!serve && !cold)
        {
            return (null, null);
        }

        await using var cluster = await BenchCluster.StartAsync(settings.SiloProgram, models.Folder, 1, 1, cancellationToken);
        return (
            serve ? await new ServingPart(settings, models, context.Progress).RunAsync(cluster, cancellationToken) : null,
            cold ? await new ColdPart(settings, models, context.Root, context.Progress).RunAsync(cluster, cancellationToken) : null);
    }
}
