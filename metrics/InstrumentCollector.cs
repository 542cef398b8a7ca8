using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;

namespace Cluster.Metrics;

using Tag = KeyValuePair<string, object?>;

/// <summary>Collects the instruments of other meters into families of the registry: those of the chosen names that belong to this host, or to none.</summary>
internal sealed class InstrumentCollector : IDisposable
{
    /// <summary>.NET declares these as counters although they go down; OpenTelemetry's conventions call them up-down counters.</summary>
    private static readonly HashSet<string> MisdeclaredGauges = new(StringComparer.Ordinal) { "dotnet.thread_pool.thread.count", "dotnet.thread_pool.queue.length" };

    private readonly MetricRegistry _registry;
    private readonly IMeterFactory _meters;
    private readonly PrometheusOptions _options;
    private readonly ConcurrentDictionary<Instrument, IInstrumentBinding> _bindings = new();
    private readonly Lock _roundLock = new();
    private readonly MeterListener _listener;
    private long _round;

    public InstrumentCollector(MetricRegistry registry, IMeterFactory meters, PrometheusOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSeriesPerInstrument, 1);
        _registry = registry;
        _meters = meters;
        _options = options;
        _listener = new MeterListener { InstrumentPublished = OnPublished };
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, state) => Measure(value, tags, state));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, state) => Measure(value, tags, state));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => Measure(value, tags, state));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => Measure(value, tags, state));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => Measure(value, tags, state));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => Measure(value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, state) => Measure((double)value, tags, state));
        _listener.Start();
    }

    /// <summary>Asks the observable instruments for their numbers. What one no longer reports disappears.</summary>
    public void Collect()
    {
        lock (_roundLock)
        {
            var round = ++_round;
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // The listener asks every instrument before it throws: the others' numbers are there.
                _registry.CallbackErrors.Increment();
            }

            foreach (var binding in _bindings.Values)
            {
                binding.EndRound(round);
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private static void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (state is IInstrumentBinding binding)
        {
            binding.Measure(value, tags);
        }
    }

    private void OnPublished(Instrument instrument, MeterListener listener)
    {
        var meter = instrument.Meter;

        // Several hosts can share a process, as in tests; a host's meters carry its factory as their scope.
        var belongsHere = meter.Scope is null || ReferenceEquals(meter.Scope, _meters);
        if (!belongsHere || !IsChosen(instrument) || ReferenceEquals(meter, _registry.Meter))
        {
            return;
        }

        if (TryBind(instrument) is { } binding)
        {
            _bindings[instrument] = binding;
            listener.EnableMeasurementEvents(instrument, binding);
        }
        else
        {
            _registry.ConflictErrors.Increment();
        }
    }

    private bool IsChosen(Instrument instrument) =>
        _options.Meters.Contains(instrument.Meter.Name) || _options.Meters.Contains($"{instrument.Meter.Name}/{instrument.Name}");

    private IInstrumentBinding? TryBind(Instrument instrument)
    {
        var (kind, mode) = Classify(instrument);
        var name = InstrumentName.Of(instrument.Name, instrument.Unit, kind);
        var help = string.IsNullOrEmpty(instrument.Description) ? $"{instrument.Name} of {instrument.Meter.Name}." : instrument.Description;
        var description = new FamilyDescription(name, help, kind, [], MetricRegistry.MaxSeries);
        if (kind == MetricKind.Histogram)
        {
            return _registry.TryAddHistogram(description, BoundsOf(instrument), out var histograms) ? new HistogramBinding(Bind(histograms)) : null;
        }

        return _registry.TryAddValues(description, out var values) ? new ValueBinding(Bind(values), mode, () => _round) : null;
    }

    private InstrumentBinding<TSeries> Bind<TSeries>(MetricFamily<TSeries> family)
        where TSeries : MetricSeries =>
        new(family, _options.MaxSeriesPerInstrument, _registry.LimitErrors);

    private IReadOnlyList<double> BoundsOf(Instrument instrument)
    {
        if (_options.Bounds.TryGetValue(instrument.Name, out var chosen))
        {
            return chosen;
        }

        return (IReadOnlyList<double>?)AdvisedBounds(instrument) ?? UsualBounds(instrument.Unit);
    }

    private static ImmutableArray<double> UsualBounds(string? unit) => unit switch
    {
        "s" => HistogramBounds.Seconds,
        "us" => HistogramBounds.Microseconds,
        _ => HistogramBounds.General,
    };

    private static double[]? AdvisedBounds(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<float> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        _ => null,
    };

    private static (MetricKind Kind, ValueMode Mode) Classify(Instrument instrument)
    {
        var type = instrument.GetType();
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        return definition switch
        {
            _ when MisdeclaredGauges.Contains(instrument.Name) => (MetricKind.Gauge, ValueMode.Observe),
            _ when definition == typeof(Counter<>) => (MetricKind.Counter, ValueMode.Add),
            _ when definition == typeof(ObservableCounter<>) => (MetricKind.Counter, ValueMode.Observe),
            _ when definition == typeof(UpDownCounter<>) => (MetricKind.Gauge, ValueMode.Add),
            _ when definition == typeof(Gauge<>) => (MetricKind.Gauge, ValueMode.Set),
            _ when definition == typeof(Histogram<>) => (MetricKind.Histogram, ValueMode.Add),
            _ => (MetricKind.Gauge, ValueMode.Observe),
        };
    }
}

/// <summary>Finds the series of an instrument's measurements. The tags of the measurement before cost a comparison, known ones a hash lookup, and neither an allocation.</summary>
internal sealed class InstrumentBinding<TSeries>
    where TSeries : MetricSeries
{
    private readonly MetricFamily<TSeries> _family;
    private readonly int _maxSeries;
    private readonly ValueSeries? _refusals;
    private readonly ConcurrentDictionary<Tag[], Known> _known = new(TagSequenceComparer.Instance);
    private readonly ConcurrentDictionary<Tag[], Known>.AlternateLookup<ReadOnlySpan<Tag>> _lookup;
    private Known? _last;
    private int _knownCount;

    public InstrumentBinding(MetricFamily<TSeries> family, int maxSeries, ValueSeries? refusals)
    {
        _family = family;
        _maxSeries = maxSeries;
        _refusals = refusals;
        _lookup = _known.GetAlternateLookup<ReadOnlySpan<Tag>>();
    }

    public bool TryFind(ReadOnlySpan<Tag> tags, [NotNullWhen(true)] out TSeries? series)
    {
        if (Volatile.Read(ref _last) is { } last && TagSequenceComparer.Instance.Equals(tags, last.Tags))
        {
            series = last.Series;
            return true;
        }

        if (_lookup.TryGetValue(tags, out var known))
        {
            Volatile.Write(ref _last, known);
            series = known.Series;
            return true;
        }

        return TryAdd(tags, out series);
    }

    /// <summary>Forgets series, here and in the family.</summary>
    public void RemoveWhere(Predicate<TSeries> match)
    {
        Volatile.Write(ref _last, null);
        foreach (var (tags, known) in _known)
        {
            if (match(known.Series) && _known.TryRemove(tags, out _))
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

        if (_known.TryAdd(copy, new Known(copy, series)))
        {
            _ = Interlocked.Increment(ref _knownCount);
        }

        return true;
    }

    private sealed record Known(Tag[] Tags, TSeries Series);
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
