using Cluster.Bench.Framework;

namespace Cluster.Bench.Messaging;

/// <summary>All cells of a run.</summary>
/// <param name="Beside">Small calls beside large ones.</param>
/// <param name="PendingFailedMilliseconds">From the kill of the silo until every call that waited for its answer has failed.</param>
internal sealed record MessagingReport(
    string Benchmark,
    DateTimeOffset Started,
    Machine Machine,
    double Seconds,
    IReadOnlyList<MessagingCell> Cells,
    BesideLarge Beside,
    double PendingFailedMilliseconds);

/// <summary>Small calls while large tensors travel both ways between the same two processes.</summary>
/// <param name="Suspected">Silos that are not active afterwards.</param>
internal sealed record BesideLarge(MessagingCell Small, double LargeCallsPerSecond, int Suspected);

/// <summary>One measured cell.</summary>
/// <param name="Bytes">Of the payload, each way.</param>
/// <param name="InFlight">Calls at a time.</param>
internal sealed record MessagingCell(
    int Bytes, int InFlight, double CallsPerSecond, double P50Microseconds, double P99Microseconds, double OthersPercent);
