using Cluster.Bench.Framework;
using Cluster.Bench.Messaging;
using Cluster.Bench.Silos;

namespace Cluster.Bench.Runtimes;

/// <summary>The JSON report's root. An entry of a list for each runtime, the embedded one first.</summary>
internal sealed record RuntimesReport(
    string Benchmark,
    DateTimeOffset Started,
    Machine Machine,
    double WarmUpSeconds,
    double Seconds,
    IReadOnlyList<MessagingReport> Calls,
    ComparisonReport? Serving,
    IReadOnlyList<RuntimeKills> Kills,
    long Failures);
