using System.Collections.Concurrent;
using Cluster.Metrics;

namespace Cluster.Grains.Metrics;

/// <summary>
/// Counts loads, by model. A model's series appear, all at 0, with its first load and stay while replicas come and go. So failures are seen of models that never
/// load. Call <see cref="Forget"/> when the registration goes. Thread-safe.
/// </summary>
internal sealed class LoadMetrics(MetricRegistry registry)
{
    private readonly ConcurrentDictionary<string, Series> _models = new(StringComparer.Ordinal);

    private readonly MetricFamily<ValueSeries> _loads =
        registry.Counter("cluster_model_loads", "Loads of model versions, by result.", "name", "result");

    private readonly MetricFamily<HistogramSeries> _times =
        registry.Histogram("cluster_model_load_time_us", "Time of successful loads, in microseconds.", HistogramBounds.Microseconds, "name");

    private readonly Lock _lock = new();

    /// <summary>A replica of a registered model was loaded.</summary>
    public void Succeeded(string model, TimeSpan elapsed)
    {
        var series = SeriesOf(model);
        series.Successes.Increment();
        series.Times.Record(elapsed.TotalMicroseconds);
    }

    /// <summary>A replica of a registered model could not be loaded.</summary>
    public void Failed(string model) => SeriesOf(model).Failures.Increment();

    /// <summary>Removes a model's series.</summary>
    public void Forget(string model)
    {
        lock (_lock)
        {
            if (_models.TryRemove(model, out var series))
            {
                _loads.Release(series.Successes);
                _loads.Release(series.Failures);
                _times.Release(series.Times);
            }
        }
    }

    private Series SeriesOf(string model)
    {
        if (_models.TryGetValue(model, out var known))
        {
            return known;
        }

        lock (_lock)
        {
            return _models.GetOrAdd(
                model, name => new Series(_loads.Acquire(name, "success"), _loads.Acquire(name, "failure"), _times.Acquire(name)));
        }
    }

    private sealed record Series(ValueSeries Successes, ValueSeries Failures, HistogramSeries Times);
}
