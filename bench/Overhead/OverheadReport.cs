using Cluster.Bench.Framework;

namespace Cluster.Bench.Overhead;

/// <summary>The JSON report's root.</summary>
internal sealed record OverheadReport(
    string Benchmark,
    DateTimeOffset Started,
    Machine Machine,
    string Server,
    double WarmUpSeconds,
    double Seconds,
    IReadOnlyList<OverheadModelReport> Models,
    long Failures);
