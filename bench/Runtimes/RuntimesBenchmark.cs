using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Framework;
using Cluster.Bench.Measurement;
using Cluster.Bench.Messaging;
using Cluster.Bench.Server;
using Cluster.Bench.Silos;

namespace Cluster.Bench.Runtimes;

/// <summary>The embedded actor runtime beside Microsoft Orleans, where a build with that is there: the same grains, silos and gateways.</summary>
internal sealed class RuntimesBenchmark : IBenchmark
{
    private const string Calls = "calls";
    private const string Serve = "serve";
    private const string Kill = "kill";
    private const string ReportPrefix = "report: ";

    private static readonly string[] All = [Calls, Serve, Kill];

    public string Name => "runtimes";

    public string Summary => "the embedded actor runtime against Microsoft Orleans: grain calls, serving, killed silos";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("parts", "A,B", "only these of " + string.Join(", ", All)),
        new("seconds", "N", "measured time of a cell; default 3"),
        new("warm-up", "N", "time before that; default 1.5"),
        new("connections", "N", "HTTP/2 connections at most; default 4"),
        new("kills", "N", "silos killed on each runtime; default 3"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var parts = context.Arguments.Text("parts") is { } given ? given.Split(',').Select(Known).ToHashSet() : All.ToHashSet();
        var plan = new LoadPlan(context.Arguments.Seconds("warm-up", 1.5, 0.5, 60), context.Arguments.Seconds("seconds", 3, 0.5, 60));
        var settings = new ClusterSettings(
            parts, plan, context.Arguments.Integer("connections", 4, 1, 256), 0, context.Arguments.Integer("kills", 3, 1, 100), 0, "");
        var builds = Builds(context);
        try
        {
            return await MeasureAsync(settings, builds, context, cancellationToken);
        }
        catch (Exception error) when (error is InvalidDataException or IOException or HttpRequestException)
        {
            throw new BenchmarkException($"a process of the cluster does not do as it should: {error.Message}");
        }
    }

    private static string Known(string part) => All.Contains(part) ? part : throw new UsageException($"option '--parts' does not know '{part}'");

    private static List<RuntimeBuild> Builds(BenchContext context)
    {
        var embedded = RuntimeBuild.Embedded(context.Root);
        var orleans = RuntimeBuild.Orleans(context.Root);
        if (!embedded.Exists)
        {
            throw new BenchmarkException($"there is no {embedded.SiloProgram}: build silo and bench in Release");
        }

        if (!orleans.Exists)
        {
            context.Progress.WriteLine("Orleans is left out: there is no build of bench and silo with ACTOR_RUNTIME=orleans (docs/orleans.md)");
            return [embedded];
        }

        return [embedded, orleans];
    }

    private async Task<BenchmarkReport> MeasureAsync(
        ClusterSettings settings, List<RuntimeBuild> builds, BenchContext context, CancellationToken cancellationToken)
    {
        var started = context.Time.GetUtcNow();
        var calls = new List<MessagingReport>();
        foreach (var build in settings.Parts.Contains(Calls) ? builds : [])
        {
            await context.Progress.WriteLineAsync($"grain calls: {build.Name}");
            calls.Add(await CallsAsync(build, settings.Plan, context.Root, cancellationToken));
        }

        using var models = new BenchModels(context.Root);
        var serving = settings.Parts.Contains(Serve) ? await ServeAsync(builds, settings, models, context.Progress, cancellationToken) : null;
        var kills = new List<RuntimeKills>();
        foreach (var build in settings.Parts.Contains(Kill) ? builds.Concat(builds.Skip(1).Select(static build => build.WithItsDefaults())) : [])
        {
            await context.Progress.WriteLineAsync($"kills: {build.Name}");
            using var environment = new EnvironmentScope(build.Environment);
            kills.Add(new RuntimeKills(
                build.Name,
                await new KillPart(settings with { SiloProgram = build.SiloProgram }, models, context.Progress, build.Recovery).RunAsync(cancellationToken)));
        }

        // What fails while a silo is dead is a figure of this benchmark, not a fault of the run.
        var failures = calls.Sum(static report => report.Cells.Sum(static cell => cell.Failures)) + (serving?.Failures ?? 0);
        var report = new RuntimesReport(
            Name, started, Machine.Read(), settings.Plan.WarmUp.TotalSeconds, settings.Plan.Duration.TotalSeconds, calls, serving, kills, failures);
        return new BenchmarkReport(RuntimesText.Format(report), report, failures);
    }

    /// <summary>The benchmark of calls is a program of either runtime: each is run, and its report read.</summary>
    private static async Task<MessagingReport> CallsAsync(RuntimeBuild build, LoadPlan plan, string root, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(
            build.BenchProgram,
            ["messaging", "--seconds", Text(plan.Duration), "--warm-up", Text(plan.WarmUp)])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = root,
        })!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        var line = output.Split('\n').FirstOrDefault(static line => line.StartsWith(ReportPrefix, StringComparison.Ordinal))
            ?? throw new BenchmarkException($"the benchmark of calls on '{build.Name}' wrote no report");
        var path = Path.Combine(root, line[ReportPrefix.Length..].Split(' ')[0]);
        return ReportFiles.Read<MessagingReport>(Path.ChangeExtension(path, ".json"));
    }

    private static string Text(TimeSpan time) => time.TotalSeconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>Both clusters are up at once, and take turns.</summary>
    private static async Task<ComparisonReport> ServeAsync(
        List<RuntimeBuild> builds, ClusterSettings settings, BenchModels models, TextWriter progress, CancellationToken cancellationToken)
    {
        var clusters = new List<BenchCluster>();
        var cells = new List<Cell>();
        var ratios = new List<CellRatio>();
        try
        {
            foreach (var build in builds)
            {
                clusters.Add(await BenchCluster.StartAsync(build.SiloProgram, models.Folder, 1, 1, cancellationToken));
            }

            foreach (var (model, workload) in models.Served)
            {
                foreach (var inFlight in new[] { 1, model.Saturating })
                {
                    var measured = new List<Cell>();
                    foreach (var (build, cluster) in builds.Zip(clusters))
                    {
                        await progress.WriteLineAsync($"{workload.Model}: {build.Name}, {inFlight} in flight");
                        var target = new Target(cluster.Gateways[0].Grpc, cluster.Gateways[0].Http, cluster.ProcessIds);
                        measured.Add(await Cell.MeasureAsync(build.Name, target, workload, inFlight, settings, cancellationToken));
                    }

                    cells.AddRange(measured);
                    ratios.AddRange(measured.Skip(1).Select(cell => CellRatio.Between(measured[0], cell)));
                }
            }
        }
        finally
        {
            foreach (var cluster in clusters)
            {
                await cluster.DisposeAsync();
            }
        }

        return new ComparisonReport(cells, ratios);
    }
}
