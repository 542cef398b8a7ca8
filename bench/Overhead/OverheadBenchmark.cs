using Cluster.Bench.Framework;
using Cluster.Bench.Server;

namespace Cluster.Bench.Overhead;

/// <summary>What a model costs through the server, compared with ONNX Runtime called in this process.</summary>
internal sealed class OverheadBenchmark : IBenchmark
{
    public string Name => "overhead";

    public string Summary => "gRPC and REST against ONNX Runtime in process: requests/s, latency, CPU a request, and their ratios";

    public IReadOnlyList<OptionSpec> Options => OverheadSettings.Options;

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var settings = OverheadSettings.Read(context);
        var started = context.Time.GetUtcNow();
        var machine = Machine.Read();
        using var folder = new ModelFolder();
        var files = settings.Models.ToDictionary(model => model, model => Path.GetFullPath(Path.Combine(context.Root, model.File)));
        foreach (var (model, file) in files.Where(pair => File.Exists(pair.Value)))
        {
            folder.Add(model.Name, file);
        }

        await using var process = settings.Server is null
            ? await ServerProcess.StartAsync(settings.SiloProgram, folder.Path, cancellationToken)
            : null;
        var server = settings.Server ?? process!.Server;
        var measurement = new OverheadMeasurement(settings, server, context.Progress);
        var models = new List<OverheadModelReport>();
        foreach (var model in settings.Models)
        {
            models.Add(File.Exists(files[model])
                ? await measurement.RunAsync(model, files[model], cancellationToken)
                : new OverheadModelReport(model.Name, model.Note, 0, 0, $"there is no {model.File} beside this checkout", [], []));
        }

        var failures = models.Sum(model => model.Cells.Sum(cell => cell.Failures));
        var report = new OverheadReport(
            Name, started, machine, server.Description, settings.Plan.WarmUp.TotalSeconds, settings.Plan.Duration.TotalSeconds, models, failures);
        return new BenchmarkReport(OverheadText.Format(report), report, failures);
    }
}
