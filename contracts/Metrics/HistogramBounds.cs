using System.Collections.Immutable;

namespace Cluster.Contracts.Metrics;

/// <summary>Upper bounds of histogram buckets, ascending, inclusive; the bucket above the last is implied.</summary>
public static class HistogramBounds
{
    /// <summary>Times in µs: ⌊10 × 1.8^i⌋ for i = 0…32, 10 µs to about 25 minutes. The bounds of OpenVINO Model Server, so that its dashboards fit.</summary>
    public static ImmutableArray<double> Microseconds { get; } = [.. Enumerable.Range(0, 33).Select(i => Math.Floor(10 * Math.Pow(1.8, i)))];

    /// <summary>Times in seconds, 5 ms to 10 s: for instruments that advise no bounds.</summary>
    public static ImmutableArray<double> Seconds { get; } = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    /// <summary>Sizes and counts: powers of two, 1 to 1024.</summary>
    public static ImmutableArray<double> PowersOfTwo { get; } = [.. Enumerable.Range(0, 11).Select(i => Math.Pow(2, i))];

    /// <summary>Anything else: powers of ten with steps 1, 2.5 and 5, 1 to 10⁹.</summary>
    public static ImmutableArray<double> General { get; } =
        [.. Enumerable.Range(0, 9).SelectMany(i => new[] { 1, 2.5, 5 }.Select(step => step * Math.Pow(10, i))), 1e9];
}
