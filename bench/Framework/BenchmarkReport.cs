namespace Cluster.Bench.Framework;

/// <summary>What a benchmark found.</summary>
/// <param name="Text">The tables, as printed.</param>
/// <param name="Data">The same figures, to be written as JSON; a tree of records.</param>
/// <param name="Failures">Requests that failed or were answered wrongly; more than 0 makes the run fail.</param>
internal sealed record BenchmarkReport(string Text, object Data, long Failures)
{
    /// <summary>An SVG picture; null for none.</summary>
    public string? Chart { get; init; }
}
