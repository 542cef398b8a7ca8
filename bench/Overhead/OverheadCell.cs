using Cluster.Bench.Measurement;

namespace Cluster.Bench.Overhead;

/// <summary>One measured combination, as it stands in the report. Times in microseconds, processor times user and system.</summary>
/// <param name="Concurrency">Requests in flight; threads for in-process calls.</param>
/// <param name="Connections">0 in process.</param>
/// <param name="Saturating">Whether this is the saturating concurrency rather than 1.</param>
/// <param name="ServerCpuMicros">Processor time of the server a request; null where its process is not known; in process, of this process.</param>
/// <param name="ClientCpuMicros">Processor time of the client a request; null in process.</param>
/// <param name="OthersCpuPercent">Part of the machine that other processes took meanwhile.</param>
internal sealed record OverheadCell(
    Way Way,
    int Concurrency,
    int Connections,
    bool Saturating,
    long Requests,
    double Seconds,
    double RequestsPerSecond,
    double P50Micros,
    double P99Micros,
    double? ServerCpuMicros,
    double? ClientCpuMicros,
    double OthersCpuPercent,
    long Failures,
    string? FirstFailure)
{
    public static OverheadCell From(Way way, int concurrency, int connections, bool saturating, LoadResult result) => new(
        way,
        concurrency,
        connections,
        saturating,
        result.Requests,
        Math.Round(result.Elapsed.TotalSeconds, 3),
        Math.Round(result.RequestsPerSecond, 1),
        Math.Round(result.P50Microseconds, 2),
        Math.Round(result.P99Microseconds, 2),
        Round(way == Way.InProcess ? result.ClientCpuMicroseconds : result.ServerCpuMicroseconds),
        way == Way.InProcess ? null : Round(result.ClientCpuMicroseconds),
        Math.Round(result.OthersPercent, 1),
        result.Failures,
        result.FirstFailure);

    /// <summary>A cell that could not begin.</summary>
    public static OverheadCell Failed(Way way, int concurrency, int connections, bool saturating, string failure) =>
        new(way, concurrency, connections, saturating, 0, 0, 0, 0, 0, null, null, 0, 1, failure);

    private static double? Round(double? value) => value is { } number ? Math.Round(number, 2) : null;
}
