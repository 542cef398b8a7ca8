namespace Cluster.Tests.Common;

/// <summary>How strictly times are taken.</summary>
public static class Bounds
{
    /// <summary>
    /// What a time may be longer than specified: nothing with <c>CLUSTER_TEST_BOUNDS=strict</c>, which is for two processors that no other process uses. Else
    /// three seconds, because on shared ones any process may be held up for as long.
    /// </summary>
    public static TimeSpan Noise { get; } = Environment.GetEnvironmentVariable("CLUSTER_TEST_BOUNDS") == "strict" ? TimeSpan.Zero : TimeSpan.FromSeconds(3);
}
