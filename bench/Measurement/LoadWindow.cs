namespace Cluster.Bench.Measurement;

/// <summary>Tells all workers of a cell, at the same moment, whether what they complete counts and when to stop.</summary>
internal sealed class LoadWindow
{
    private volatile Phase _phase;

    private enum Phase
    {
        WarmUp,
        Measuring,
        Stopped,
    }

    public bool Measuring => _phase == Phase.Measuring;

    public bool Stopped => _phase == Phase.Stopped;

    public void Open() => _phase = Phase.Measuring;

    public void Close() => _phase = Phase.Stopped;
}
