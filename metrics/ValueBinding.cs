namespace Cluster.Metrics;

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
