namespace Cluster.Bench.Measurement;

/// <summary>Processor times, user and system: totals at a moment, or what was used between two.</summary>
/// <param name="Client">This process.</param>
/// <param name="Server">The server; null where its process is not known.</param>
/// <param name="Machine">All processes of the machine.</param>
internal readonly record struct CpuTimes(TimeSpan Client, TimeSpan? Server, TimeSpan Machine)
{
    /// <summary>Processes that are neither; the server among them where it is not known.</summary>
    public TimeSpan Others => Machine - Client - (Server ?? TimeSpan.Zero);

    public static CpuTimes Read(int? serverProcess) => new(
        Environment.CpuUsage.TotalTime,
        serverProcess is { } id ? ProcessCpu.Read(id) : null,
        MachineCpu.Read());

    public static CpuTimes operator -(CpuTimes end, CpuTimes start) =>
        new(end.Client - start.Client, end.Server - start.Server, end.Machine - start.Machine);
}
