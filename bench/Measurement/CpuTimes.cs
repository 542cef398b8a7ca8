using System.Diagnostics;

namespace Cluster.Bench.Measurement;

/// <summary>Processor times, user and system: totals at a moment, or what was used between two.</summary>
/// <param name="Elapsed">The monotonic clock.</param>
/// <param name="Client">This process and its children that have ended, such as h2load.</param>
/// <param name="Server">The server, all its processes together; null where they are not known.</param>
/// <param name="Machine">All processes of the machine.</param>
internal readonly record struct CpuTimes(TimeSpan Elapsed, TimeSpan Client, TimeSpan? Server, TimeSpan Machine)
{
    /// <summary>Processes that are neither; the server among them where it is not known.</summary>
    public TimeSpan Others => Machine - Client - (Server ?? TimeSpan.Zero);

    /// <summary>Part of the machine's processors that <see cref="Others"/> took, 0 to 100.</summary>
    public double OthersPercent => Math.Round(Math.Clamp(100 * (Others / Elapsed) / Environment.ProcessorCount, 0, 100), 1);

    /// <param name="serverProcesses">All that make up the server; empty where they are not known.</param>
    public static CpuTimes Read(IReadOnlyCollection<int> serverProcesses) => new(
        Stopwatch.GetElapsedTime(0),
        ProcessCpu.ReadWithChildren(Environment.ProcessId),
        serverProcesses.Count == 0 ? null : serverProcesses.Aggregate(TimeSpan.Zero, static (sum, id) => sum + ProcessCpu.Read(id)),
        MachineCpu.Read());

    public static CpuTimes operator -(CpuTimes end, CpuTimes start) =>
        new(end.Elapsed - start.Elapsed, end.Client - start.Client, end.Server - start.Server, end.Machine - start.Machine);
}
