namespace Cluster.Bench.Measurement;

/// <summary>One measured cell.</summary>
/// <param name="Requests">Right answers within the window.</param>
/// <param name="Elapsed">The window's real length.</param>
/// <param name="P50Microseconds">Median latency; 0 without requests, as all figures here.</param>
/// <param name="ClientCpu">Processor time of this process within the window, user and system.</param>
/// <param name="ServerCpu">The same of the server; null where its process is not known.</param>
internal sealed record LoadResult(
    long Requests,
    TimeSpan Elapsed,
    double P50Microseconds,
    double P99Microseconds,
    TimeSpan ClientCpu,
    TimeSpan? ServerCpu,
    long Failures,
    string? FirstFailure)
{
    public double RequestsPerSecond => Requests / Elapsed.TotalSeconds;

    public double ClientCpuMicroseconds => Requests == 0 ? 0 : ClientCpu.TotalMicroseconds / Requests;

    public double? ServerCpuMicroseconds => Requests == 0 ? null : ServerCpu?.TotalMicroseconds / Requests;
}
