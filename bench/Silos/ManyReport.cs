namespace Cluster.Bench.Silos;

/// <summary>A cluster with few models and one with many, side by side.</summary>
internal sealed record ManyReport(IReadOnlyList<ManyState> States, ComparisonReport Warm);
