using Cluster.Bench.Framework;

namespace Cluster.Bench.Messaging;

/// <summary>All cells of a run.</summary>
/// <param name="Runtime">The actor runtime that this program was built with.</param>
/// <param name="PendingFailedMilliseconds">From the kill of the silo until every call that waited for its answer has failed.</param>
internal sealed record MessagingReport(
    string Benchmark,
    string Runtime,
    DateTimeOffset Started,
    Machine Machine,
    double Seconds,
    IReadOnlyList<MessagingCell> Cells,
    double PendingFailedMilliseconds);
