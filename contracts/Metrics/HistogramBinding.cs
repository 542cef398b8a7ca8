namespace Cluster.Contracts.Metrics;

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
