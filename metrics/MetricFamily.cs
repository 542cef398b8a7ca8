using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Cluster.Metrics;

/// <summary>All series of one name.</summary>
public abstract class MetricFamily
{
    private const string TotalSuffix = "_total";

    private readonly byte[] _header;
    private readonly byte[] _openMetricsHeader;

    private protected MetricFamily(string name, string help, MetricKind kind)
    {
        Name = name;
        Help = help;
        Kind = kind;
        var type = kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" };
        var isTotal = kind == MetricKind.Counter && name.EndsWith(TotalSuffix, StringComparison.Ordinal);
        var (openName, openType) = (isTotal ? name[..^TotalSuffix.Length] : name, kind == MetricKind.Counter && !isTotal ? "unknown" : type);
        _openMetricsHeader = Encoding.UTF8.GetBytes($"# HELP {openName} {ExpositionText.EscapeLabel(help)}\n# TYPE {openName} {openType}\n");
        _header = Encoding.UTF8.GetBytes($"# HELP {name} {ExpositionText.EscapeHelp(help)}\n# TYPE {name} {type}\n");
    }

    public string Name { get; }

    /// <summary>One sentence for people.</summary>
    public string Help { get; }

    public MetricKind Kind { get; }

    /// <summary>Every series, sorted by labels.</summary>
    internal abstract IReadOnlyList<MetricSeries> Snapshot();

    internal void WriteHeader(IBufferWriter<byte> output, ExpositionFormat format) => output.Write(format == ExpositionFormat.OpenMetrics ? _openMetricsHeader : _header);
}

/// <summary>What a family's numbers mean; the <c>TYPE</c> of the exposition format.</summary>
public enum MetricKind
{
    /// <summary>Only grows, until its series is removed.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts by upper bound, with sum and count.</summary>
    Histogram,
}

/// <summary>
/// All series of one name. A series exists from the first <see cref="Acquire"/> to the last <see cref="Release"/> of its labels. So loaded models decide which series
/// are exported, never requests. Thread-safe.
/// </summary>
public sealed class MetricFamily<TSeries> : MetricFamily
    where TSeries : MetricSeries
{
    private readonly string[] _labelNames;
    private readonly Func<string, KeyValuePair<string, object?>[], TSeries> _create;
    private readonly int _maxSeries;
    private readonly ValueSeries? _refusals;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TSeries> _series = new(StringComparer.Ordinal);
    private MetricSeries[]? _sorted;

    internal MetricFamily(FamilyDescription description, Func<string, KeyValuePair<string, object?>[], TSeries> create, ValueSeries? refusals)
        : base(description.Name, description.Help, description.Kind)
    {
        _labelNames = description.LabelNames;
        _maxSeries = description.MaxSeries;
        _create = create;
        _refusals = refusals;
    }

    /// <summary>
    /// The series of these label values, made at 0 if it is not there; the caller gives it back with <see cref="Release"/>.
    /// Past the family's limit of series the answer is one that no scrape shows.
    /// </summary>
    /// <param name="labelValues">In the order of the family's label names; an empty one leaves the label out.</param>
    /// <exception cref="ArgumentException">Not as many values as label names.</exception>
    public TSeries Acquire(params ReadOnlySpan<string> labelValues)
    {
        if (labelValues.Length != _labelNames.Length)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"'{Name}' has {_labelNames.Length} labels, got {labelValues.Length} values."), nameof(labelValues));
        }

        var tags = new KeyValuePair<string, object?>[labelValues.Length];
        for (var i = 0; i < tags.Length; i++)
        {
            tags[i] = new(_labelNames[i], labelValues[i]);
        }

        lock (_lock)
        {
            _ = TryGetOrAddLocked(tags, out var series);
            series.Holders++;
            return series;
        }
    }

    /// <summary>Gives back a series; with its last holder it disappears from the exposition.</summary>
    public void Release(TSeries series)
    {
        lock (_lock)
        {
            if (--series.Holders == 0)
            {
                RemoveLocked(series);
            }
        }
    }

    internal bool TryGetOrAdd(KeyValuePair<string, object?>[] tags, [NotNullWhen(true)] out TSeries? series)
    {
        lock (_lock)
        {
            return TryGetOrAddLocked(tags, out series);
        }
    }

    internal void RemoveWhere(Predicate<TSeries> match)
    {
        lock (_lock)
        {
            foreach (var series in _series.Values.Where(series => match(series)).ToArray())
            {
                RemoveLocked(series);
            }
        }
    }

    internal override IReadOnlyList<MetricSeries> Snapshot()
    {
        lock (_lock)
        {
            return _sorted ??= [.. _series.Values.OrderBy(series => series.Key, StringComparer.Ordinal)];
        }
    }

    /// <returns>False past the limit, with a series that is not exported.</returns>
    private bool TryGetOrAddLocked(KeyValuePair<string, object?>[] tags, out TSeries series)
    {
        var key = ExpositionText.Labels(tags);
        if (_series.TryGetValue(key, out var known))
        {
            series = known;
            return true;
        }

        series = _create(key, tags);
        if (_series.Count >= _maxSeries)
        {
            _refusals?.Increment();
            return false;
        }

        _series.Add(key, series);
        _sorted = null;
        return true;
    }

    private void RemoveLocked(TSeries series)
    {
        // A series past the limit was never added, though one with its labels may have been since.
        if (_series.TryGetValue(series.Key, out var known) && ReferenceEquals(known, series))
        {
            _ = _series.Remove(series.Key);
            _sorted = null;
        }
    }
}

/// <summary>One line of numbers of a family: one combination of label values.</summary>
public abstract class MetricSeries
{
    private protected MetricSeries(string key, KeyValuePair<string, object?>[] tags)
    {
        Key = key;
        Tags = tags;
        Labels = Encoding.UTF8.GetBytes(key);
    }

    /// <summary>The labels as they are written, without braces. Identifies the series in its family.</summary>
    internal string Key { get; }

    internal KeyValuePair<string, object?>[] Tags { get; }

    /// <summary>How many owners share the series; guarded by the family's lock.</summary>
    internal int Holders { get; set; }

    private protected byte[] Labels { get; }

    /// <summary>Writes the series' lines.</summary>
    internal abstract void WriteTo(IBufferWriter<byte> output, ExpositionFormat format);
}
