using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Cluster.Metrics;

using Tag = KeyValuePair<string, object?>;

/// <summary>Finds the series of an instrument's measurements. Known tags cost one hash lookup and no allocation.</summary>
internal sealed class InstrumentBinding<TSeries>
    where TSeries : MetricSeries
{
    private readonly MetricFamily<TSeries> _family;
    private readonly int _maxSeries;
    private readonly ValueSeries? _refusals;
    private readonly ConcurrentDictionary<Tag[], TSeries> _known = new(TagSequenceComparer.Instance);
    private readonly ConcurrentDictionary<Tag[], TSeries>.AlternateLookup<ReadOnlySpan<Tag>> _lookup;
    private int _knownCount;

    public InstrumentBinding(MetricFamily<TSeries> family, int maxSeries, ValueSeries? refusals)
    {
        _family = family;
        _maxSeries = maxSeries;
        _refusals = refusals;
        _lookup = _known.GetAlternateLookup<ReadOnlySpan<Tag>>();
    }

    public bool TryFind(ReadOnlySpan<Tag> tags, [NotNullWhen(true)] out TSeries? series) =>
        _lookup.TryGetValue(tags, out series) || TryAdd(tags, out series);

    /// <summary>Forgets series, here and in the family.</summary>
    public void RemoveWhere(Predicate<TSeries> match)
    {
        foreach (var (tags, series) in _known)
        {
            if (match(series) && _known.TryRemove(tags, out _))
            {
                _ = Interlocked.Decrement(ref _knownCount);
            }
        }

        _family.RemoveWhere(match);
    }

    private bool TryAdd(ReadOnlySpan<Tag> tags, [NotNullWhen(true)] out TSeries? series)
    {
        // A count of its own: ConcurrentDictionary.Count takes all locks, and a flood of new tags must stay cheap.
        if (Volatile.Read(ref _knownCount) >= _maxSeries)
        {
            _refusals?.Increment();
            series = null;
            return false;
        }

        var copy = tags.ToArray();
        if (!_family.TryGetOrAdd(copy, out series))
        {
            return false;
        }

        if (_known.TryAdd(copy, series))
        {
            _ = Interlocked.Increment(ref _knownCount);
        }

        return true;
    }
}

/// <summary>Where an instrument's measurements go.</summary>
internal interface IInstrumentBinding
{
    void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    /// <summary>Forgets the series that round <paramref name="round"/> did not observe.</summary>
    void EndRound(long round);
}

/// <summary>Histograms of other meters.</summary>
internal sealed class HistogramBinding(InstrumentBinding<HistogramSeries> series) : IInstrumentBinding
{
    public void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (series.TryFind(tags, out var found))
        {
            found.Record(value);
        }
    }

    public void EndRound(long round)
    {
        // Histograms are recorded, never observed: none goes stale.
    }
}

/// <summary>Counters and gauges of other meters.</summary>
internal sealed class ValueBinding(InstrumentBinding<ValueSeries> series, ValueMode mode, Func<long> round) : IInstrumentBinding
{
    public void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (!series.TryFind(tags, out var found))
        {
            return;
        }

        switch (mode)
        {
            case ValueMode.Add:
                found.Add(value);
                break;
            case ValueMode.Set:
                found.Set(value);
                break;
            default:
                found.Observe(value, round());
                break;
        }
    }

    public void EndRound(long round)
    {
        if (mode == ValueMode.Observe)
        {
            series.RemoveWhere(found => found.Round != round);
        }
    }
}

/// <summary>Compares tags in the order in which they were measured, so that a measurement finds its series without an allocation.</summary>
internal sealed class TagSequenceComparer : IEqualityComparer<Tag[]>, IAlternateEqualityComparer<ReadOnlySpan<Tag>, Tag[]>
{
    public static TagSequenceComparer Instance { get; } = new();

    public bool Equals(Tag[]? x, Tag[]? y) => ReferenceEquals(x, y) || (x is not null && y is not null && Equals(x.AsSpan(), y));

    public int GetHashCode(Tag[] obj) => GetHashCode(obj.AsSpan());

    public Tag[] Create(ReadOnlySpan<Tag> alternate) => alternate.ToArray();

    public bool Equals(ReadOnlySpan<Tag> alternate, Tag[] other)
    {
        if (alternate.Length != other.Length)
        {
            return false;
        }

        for (var i = 0; i < alternate.Length; i++)
        {
            if (!string.Equals(alternate[i].Key, other[i].Key, StringComparison.Ordinal) || !Equals(alternate[i].Value, other[i].Value))
            {
                return false;
            }
        }

        return true;
    }

    public int GetHashCode(ReadOnlySpan<Tag> alternate)
    {
        // Values alone: a call site always sends the same names.
        var hash = new HashCode();
        foreach (var tag in alternate)
        {
            hash.Add(tag.Value);
        }

        return hash.ToHashCode();
    }
}
