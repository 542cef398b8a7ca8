using System.Buffers;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using Cluster.Contracts.Options;

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

/// <summary>What the exporter collects besides the families of the <see cref="MetricRegistry"/>.</summary>
[Section("Metrics")]
public sealed class PrometheusOptions : IValidatableObject
{
    /// <summary>
    /// Names of the meters to collect, or <c>meter/instrument</c> for one of a meter's instruments. More make scrapes larger and every measurement of theirs cost a lookup.
    /// </summary>
    public ISet<string> Meters { get; set; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "Cluster.Redis",
        "Cluster.Repository",
        "Cluster.Memory",
        "Cluster.Security",
        ProcessMetrics.MeterName,
        "System.Runtime",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.Orleans/orleans-app-requests-timedout",
        "Microsoft.Orleans/orleans-catalog-activation-failed-to-activate",
        "Microsoft.Orleans/orleans-catalog-activations",
        "Microsoft.Orleans/orleans-messaging-expired",
        "Microsoft.Orleans/orleans-messaging-pings-reply-missed",
        "Microsoft.Orleans/orleans-messaging-rejected",
        "Microsoft.Orleans/orleans-messaging-sent-dropped",
        "Microsoft.Orleans/orleans-messaging-sent-failed",
        "Microsoft.Orleans/orleans-networking-sockets-closed",
        "Microsoft.Orleans/orleans-networking-sockets-opened",
        "Microsoft.Orleans/orleans-scheduler-long-running-turns",
    };

    /// <summary>
    /// Bucket bounds by instrument name, ascending and finite. Other instruments get the bounds that they advise, else ones that fit their unit.
    /// </summary>
    public IDictionary<string, IReadOnlyList<double>> Bounds { get; set; } = new Dictionary<string, IReadOnlyList<double>>(StringComparer.Ordinal);

    /// <summary>Combinations of tags that one instrument may have. Measurements of further ones are dropped and counted. At least 1.</summary>
    [Range(1, 1_000_000)]
    public int MaxSeriesPerInstrument { get; set; } = 1000;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (instrument, bounds) in Bounds)
        {
            if (!bounds.Zip(bounds.Skip(1)).All(static pair => pair.First < pair.Second))
            {
                yield return new ValidationResult($"ascending numbers for {instrument}", [nameof(Bounds)]);
            }
        }
    }
}
