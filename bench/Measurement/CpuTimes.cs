namespace Cluster.Bench.Measurement;

/// <summary>Processor times, user and system: totals at a moment, or what was used between two.</summary>
/// <param name="Client">This process.</param>
/// <param name="Server">The server, all its processes together; null where they are not known.</param>
/// <param name="Machine">All processes of the machine.</param>
internal readonly record struct CpuTimes(TimeSpan Client, TimeSpan? Server, TimeSpan Machine)
{
    /// <summary>Processes that are neither; the server among them where it is not known.</summary>
    public TimeSpan Others => Machine - Client - (Server ?? TimeSpan.Zero);

    /// <param name="serverProcesses">All that make up the server; empty where they are not known.</param>
    public static CpuTimes Read(IReadOnlyCollection<int> serverProcesses) => new(
        Environment.CpuUsage.TotalTime,
        serverProcesses.Count == 0 ? null : serverProcesses.Aggregate(TimeSpan.Zero, static (sum, id) => sum + ProcessCpu.Read(id)),
        MachineCpu.Read());

    public static CpuTimes operator -(CpuTimes end, CpuTimes start) =>
        new(end.Client - start.Client, end.Server - start.Server, end.Machine - start.Machine);
}
