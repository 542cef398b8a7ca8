using Cluster.Bench.Framework;

namespace Cluster.Bench.Silos;

/// <summary>The JSON report's root; null for a part that was not asked for.</summary>
internal sealed record ClusterReport(
    string Benchmark,
    DateTimeOffset Started,
    Machine Machine,
    double WarmUpSeconds,
    double Seconds,
    ComparisonReport? Serving,
    IReadOnlyList<ColdReport>? Cold,
    IReadOnlyList<KillReport>? Kills,
    ManyReport? Many,
    double OthersPercent,
    long Failures);
