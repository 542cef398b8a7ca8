namespace Cluster.Grains.Sessions;

/// <summary>What clients are told about loads that failed.</summary>
internal static class LoadFailures
{
    /// <summary>A failed load is cured by an operator, not by the next second: the hint keeps clients from hammering.</summary>
    public static TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(10);
}
