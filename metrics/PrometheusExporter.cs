using System.Buffers;
using System.Diagnostics.Metrics;
using System.IO.Pipelines;

namespace Cluster.Metrics;

/// <summary>
/// Writes the registry's families and the instruments of the chosen meters in Prometheus' text format or as OpenMetrics: families by name, series
/// by labels. Collects from its construction on, so make it before what it measures starts. Thread-safe.
/// </summary>
public sealed class PrometheusExporter : IDisposable
{
    /// <summary>Bytes written before the reader is let have them: a process with thousands of models must not hold its whole exposition.</summary>
    private const int FlushThreshold = 64 * 1024;

    private readonly MetricRegistry _registry;
    private readonly InstrumentCollector _collector;

    /// <exception cref="ArgumentOutOfRangeException">The limit of series is below 1.</exception>
    public PrometheusExporter(MetricRegistry registry, IMeterFactory meters, PrometheusOptions options)
    {
        _registry = registry;
        _collector = new InstrumentCollector(registry, meters, options);
    }

    /// <summary>Writes and flushes everything; stops early if the reader has gone.</summary>
    public async Task WriteAsync(PipeWriter output, ExpositionFormat format, CancellationToken cancellationToken)
    {
        _collector.Collect();
        foreach (var family in _registry.Families())
        {
            var series = family.Snapshot();
            if (series.Count == 0)
            {
                continue;
            }

            family.WriteHeader(output, format);
            foreach (var one in series)
            {
                one.WriteTo(output, format);
                if (output.UnflushedBytes >= FlushThreshold && (await output.FlushAsync(cancellationToken).ConfigureAwait(false)).IsCompleted)
                {
                    return;
                }
            }
        }

        if (format == ExpositionFormat.OpenMetrics)
        {
            output.Write("# EOF\n"u8);
        }

        _ = await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _collector.Dispose();
}
