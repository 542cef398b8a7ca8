namespace Cluster.Grains.Sessions;

/// <summary>Where a run's time in the session went, in nanoseconds.</summary>
/// <param name="Input">Locating, checking and binding inputs.</param>
/// <param name="Infer">Running the graph.</param>
/// <param name="Output">Writing outputs into the response.</param>
/// <param name="Rows">Rows that were computed.</param>
internal readonly record struct RunTimes(long Input, long Infer, long Output, long Rows)
{
    public long Total => Input + Infer + Output;
}
