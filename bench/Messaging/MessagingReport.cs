using Cluster.Bench.Framework;

namespace Cluster.Bench.Messaging;

/// <summary>All cells of a run.</summary>
/// <param name="PendingFailedMilliseconds">From the kill of the silo until every call that waited for its answer has failed.</param>
internal sealed record MessagingReport(
    string Benchmark,
    DateTimeOffset Started,
    Machine Machine,
    double Seconds,
    IReadOnlyList<MessagingCell> Cells,
    double PendingFailedMilliseconds);
