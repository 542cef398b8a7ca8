using Cluster.Bench.Measurement;
using HdrHistogram;

namespace Cluster.Bench.Load;

/// <summary>What a load measured; every answer was right.</summary>
/// <param name="Requests">In the load; those that only checked are left out.</param>
/// <param name="Cpu">Used meanwhile.</param>
/// <param name="Checks">Requests that only checked: they are in <paramref name="Cpu"/>.</param>
internal sealed record LoadFigures(long Requests, TimeSpan Elapsed, double P50Micros, double P99Micros, CpuTimes Cpu, long Checks)
{
    public double RequestsPerSecond => Requests / Elapsed.TotalSeconds;

    /// <summary>Processor time a request, of the server; of this process where there is none.</summary>
    public double CpuMicros => (Cpu.Server ?? Cpu.Client).TotalMicroseconds / (Requests + Checks);

    /// <summary>The same of the server and of its client together.</summary>
    public double AllCpuMicros => (Cpu.Client + (Cpu.Server ?? TimeSpan.Zero)).TotalMicroseconds / (Requests + Checks);

    /// <param name="unitsPerMicrosecond">Of what <paramref name="latencies"/> holds.</param>
    public static LoadFigures Of(TimeSpan elapsed, LongHistogram latencies, double unitsPerMicrosecond, CpuTimes cpu, long checks) => new(
        latencies.TotalCount,
        elapsed,
        latencies.GetValueAtPercentile(50) / unitsPerMicrosecond,
        latencies.GetValueAtPercentile(99) / unitsPerMicrosecond,
        cpu,
        checks);
}
