namespace Cluster.Contracts.Metrics;

/// <summary>What makes a family.</summary>
/// <param name="MaxSeries">More combinations of labels than this are not exported.</param>
internal sealed record FamilyDescription(string Name, string Help, MetricKind Kind, string[] LabelNames, int MaxSeries);
