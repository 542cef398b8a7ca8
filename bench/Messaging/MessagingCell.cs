namespace Cluster.Bench.Messaging;

/// <summary>One measured cell.</summary>
/// <param name="Bytes">Of the payload, each way.</param>
/// <param name="InFlight">Calls at a time.</param>
internal sealed record MessagingCell(
    int Bytes, int InFlight, double CallsPerSecond, double P50Microseconds, double P99Microseconds, double OthersPercent);
