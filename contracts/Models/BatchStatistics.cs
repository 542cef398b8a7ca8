namespace Cluster.Contracts.Models;

/// <summary>Compute totals of the runs with one batch size.</summary>
[GenerateSerializer, Immutable, Alias("batch-statistics")]
public readonly record struct BatchStatistics(
    [property: Id(0)] DurationTotal Input,
    [property: Id(1)] DurationTotal Infer,
    [property: Id(2)] DurationTotal Output);
