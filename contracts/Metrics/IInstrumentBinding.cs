namespace Cluster.Contracts.Metrics;

/// <summary>Where an instrument's measurements go.</summary>
internal interface IInstrumentBinding
{
    void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    /// <summary>Forgets the series that round <paramref name="round"/> did not observe.</summary>
    void EndRound(long round);
}
