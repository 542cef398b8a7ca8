using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Text;

namespace Cluster.Metrics;

/// <summary>
/// The metric families of a process. Code on the request path records through series that it holds, not through instruments. An instrument finds a measurement's series by hashing its tags every time, a held series is two atomic additions.
/// Each family is an instrument of the meter <see cref="MeterName"/> all the same, so that other listeners see it. Counters and
/// gauges are observed, histograms recorded while there is a listener. Thread-safe.
/// </summary>
public sealed class MetricRegistry
{
    public const string MeterName = "Cluster.Serving";

    /// <summary>The limit of series in each family of this process. Above it, memory and scrapes suffer more than the missing series would help.</summary>
    public const int MaxSeries = 200_000;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    public MetricRegistry(IMeterFactory meters)
    {
        Meter = meters.Create(new MeterOptions(MeterName));
        var errors = Counter("cluster_metrics_errors", "What the metrics themselves lost, by reason.", "reason");
        LimitErrors = errors.Acquire("series_limit");
        ConflictErrors = errors.Acquire("name_conflict");
        CallbackErrors = errors.Acquire("callback");
    }

    internal Meter Meter { get; }

    /// <summary>Counts series that were refused because there were too many.</summary>
    internal ValueSeries? LimitErrors { get; }

    /// <summary>Counts instruments whose name is taken by a family of another kind.</summary>
    internal ValueSeries ConflictErrors { get; }

    /// <summary>Counts collections in which an observable instrument threw.</summary>
    internal ValueSeries CallbackErrors { get; }

    /// <summary>The counter family of this name, made at the first call.</summary>
    /// <param name="name">As exported; valid in Prometheus. A registry adds no suffix.</param>
    /// <exception cref="InvalidOperationException">The name is invalid, or belongs to a family of another kind.</exception>
    public MetricFamily<ValueSeries> Counter(string name, string help, params string[] labelNames) =>
        Own(new FamilyDescription(name, help, MetricKind.Counter, labelNames, MaxSeries), CreatePublishedValues);

    /// <summary>The gauge family of this name, made at the first call.</summary>
    /// <inheritdoc cref="Counter"/>
    public MetricFamily<ValueSeries> Gauge(string name, string help, params string[] labelNames) =>
        Own(new FamilyDescription(name, help, MetricKind.Gauge, labelNames, MaxSeries), CreatePublishedValues);

    /// <summary>The histogram family of this name, made at the first call.</summary>
    /// <param name="bounds">Upper bounds of the buckets, ascending and finite.</param>
    /// <inheritdoc cref="Counter"/>
    public MetricFamily<HistogramSeries> Histogram(string name, string help, IReadOnlyList<double> bounds, params string[] labelNames) =>
        Own(new FamilyDescription(name, help, MetricKind.Histogram, labelNames, MaxSeries), description => CreateHistogram(description, bounds, publish: true));

    /// <summary>Families in the order of their names.</summary>
    internal IReadOnlyList<MetricFamily> Families()
    {
        lock (_lock)
        {
            return [.. _families.Values];
        }
    }

    /// <summary>The family of an instrument of another meter.</summary>
    /// <returns>False if the name is taken by a family of another kind.</returns>
    internal bool TryAddValues(FamilyDescription description, [NotNullWhen(true)] out MetricFamily<ValueSeries>? family) =>
        TryGetOrAdd(description, CreateValues, out family);

    /// <inheritdoc cref="TryAddValues"/>
    internal bool TryAddHistogram(
        FamilyDescription description, IReadOnlyList<double> bounds, [NotNullWhen(true)] out MetricFamily<HistogramSeries>? family) =>
        TryGetOrAdd(description, added => CreateHistogram(added, bounds, publish: false), out family);

    private MetricFamily<TSeries> Own<TSeries>(FamilyDescription description, Func<FamilyDescription, MetricFamily<TSeries>> create)
        where TSeries : MetricSeries
    {
        if (ExpositionText.MetricName(description.Name) != description.Name)
        {
            throw new InvalidOperationException($"'{description.Name}' is no valid metric name.");
        }

        if (!TryGetOrAdd(description, create, out var family))
        {
            throw new InvalidOperationException($"The metric '{description.Name}' exists with another kind.");
        }

        return family;
    }

    private bool TryGetOrAdd<TSeries>(
        FamilyDescription description, Func<FamilyDescription, MetricFamily<TSeries>> create, [NotNullWhen(true)] out MetricFamily<TSeries>? family)
        where TSeries : MetricSeries
    {
        MetricFamily? known;
        lock (_lock)
        {
            if (!_families.TryGetValue(description.Name, out known))
            {
                known = create(description);
                _families.Add(description.Name, known);
            }
        }

        family = known.Kind == description.Kind ? known as MetricFamily<TSeries> : null;
        return family is not null;
    }

    private MetricFamily<ValueSeries> CreateValues(FamilyDescription description)
    {
        var name = Encoding.UTF8.GetBytes(description.Name);
        return new(description, (key, tags) => new ValueSeries(name, key, tags), LimitErrors);
    }

    private MetricFamily<HistogramSeries> CreateHistogram(FamilyDescription description, IReadOnlyList<double> bounds, bool publish)
    {
        var layout = new HistogramLayout(description.Name, bounds);
        var instrument = publish
            ? Meter.CreateHistogram(
                description.Name, unit: null, description.Help, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = layout.Bounds })
            : null;
        return new(description, (key, tags) => new HistogramSeries(layout, instrument, key, tags), LimitErrors);
    }

    private MetricFamily<ValueSeries> CreatePublishedValues(FamilyDescription description)
    {
        var family = CreateValues(description);
        _ = family.Kind == MetricKind.Counter
            ? (Instrument)Meter.CreateObservableCounter(family.Name, () => Measure(family), unit: null, family.Help)
            : Meter.CreateObservableUpDownCounter(family.Name, () => Measure(family), unit: null, family.Help);
        return family;
    }

    private static IEnumerable<Measurement<double>> Measure(MetricFamily<ValueSeries> family) =>
        family.Snapshot().OfType<ValueSeries>().Select(series => new Measurement<double>(series.Value, series.Tags));
}

/// <summary>What makes a family.</summary>
/// <param name="MaxSeries">More combinations of labels than this are not exported.</param>
internal sealed record FamilyDescription(string Name, string Help, MetricKind Kind, string[] LabelNames, int MaxSeries);
