using Cluster.Bench.Load;

namespace Cluster.Bench.Ratios;

/// <summary>What one measurement found. Those that are compared have the same figures in the same order.</summary>
/// <param name="OthersPercent">Part of the machine that other processes took meanwhile.</param>
internal sealed record Sample(double OthersPercent, params IReadOnlyList<Figure> Figures)
{
    public static Sample Of(LoadFigures load) => new(
        load.Cpu.OthersPercent,
        new Figure("req/s", load.RequestsPerSecond),
        new Figure("CPU µs", load.CpuMicros),
        new Figure("p50 µs", load.P50Micros),
        new Figure("p99 µs", load.P99Micros));
}

/// <param name="Name">With its unit.</param>
internal readonly record struct Figure(string Name, double Value);
