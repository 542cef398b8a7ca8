namespace Cluster.Bench.Measurement;

/// <summary>How long a cell lasts.</summary>
internal sealed record LoadPlan(TimeSpan WarmUp, TimeSpan Duration);
