namespace Cluster.Bench.Measurement;

/// <summary>One measured cell.</summary>
/// <param name="Requests">Right answers within the window.</param>
/// <param name="Elapsed">The window's real length.</param>
/// <param name="P50Microseconds">Median latency; 0 without requests, as all figures here.</param>
/// <param name="Cpu">Used within the window.</param>
internal sealed record LoadResult(
    long Requests,
    TimeSpan Elapsed,
    double P50Microseconds,
    double P99Microseconds,
    CpuTimes Cpu,
    long Failures,
    string? FirstFailure)
{
    public double RequestsPerSecond => Requests / Elapsed.TotalSeconds;

    public double ClientCpuMicroseconds => Requests == 0 ? 0 : Cpu.Client.TotalMicroseconds / Requests;

    public double? ServerCpuMicroseconds => Requests == 0 ? null : Cpu.Server?.TotalMicroseconds / Requests;

    /// <summary>Part of the machine's processors that other processes took, 0 to 100.</summary>
    public double OthersPercent => Math.Clamp(100 * (Cpu.Others / Elapsed) / Environment.ProcessorCount, 0, 100);
}
