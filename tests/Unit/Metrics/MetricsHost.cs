using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Text;
using Cluster.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Unit.Metrics;

/// <summary>A registry with an exporter that listens to the meter <see cref="MeterName"/> alone.</summary>
internal sealed class MetricsHost : IDisposable
{
    public const string MeterName = "Test.Foreign";

    private readonly ServiceProvider _provider = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public MetricsHost(Action<PrometheusOptions>? configure = null)
    {
        Meters = _provider.GetRequiredService<IMeterFactory>();
        Registry = new MetricRegistry(Meters);
        var options = new PrometheusOptions();
        options.Meters.Clear();
        _ = options.Meters.Add(MeterName);
        configure?.Invoke(options);
        Exporter = new PrometheusExporter(Registry, Meters, options);
    }

    public IMeterFactory Meters { get; }

    public MetricRegistry Registry { get; }

    public PrometheusExporter Exporter { get; }

    public Meter CreateMeter() => Meters.Create(new MeterOptions(MeterName));

    public async Task<string> RenderAsync(ExpositionFormat format = ExpositionFormat.Text)
    {
        using var stream = new MemoryStream();
        var writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        await Exporter.WriteAsync(writer, format, CancellationToken.None);
        await writer.CompleteAsync();
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    public async Task<Exposition> ScrapeAsync() => Exposition.Parse(await RenderAsync());

    public void Dispose()
    {
        Exporter.Dispose();
        _provider.Dispose();
    }
}
