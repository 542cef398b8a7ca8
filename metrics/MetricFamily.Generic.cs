using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Cluster.Metrics;

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
