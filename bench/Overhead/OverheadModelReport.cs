namespace Cluster.Bench.Overhead;

/// <summary>What was measured of one model.</summary>
/// <param name="Skipped">Why nothing was; null otherwise.</param>
internal sealed record OverheadModelReport(
    string Model, string Note, long InputBytes, long OutputBytes, string? Skipped, IReadOnlyList<OverheadCell> Cells, IReadOnlyList<OverheadRatio> Ratios);
