using System.Diagnostics;
using System.Globalization;

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

/// <summary>Processor times since the meter was made.</summary>
/// <param name="serverProcesses">All that make up the server; empty where they are not known.</param>
internal sealed class CpuMeter(IReadOnlyCollection<int> serverProcesses)
{
    private readonly CpuTimes _start = CpuTimes.Read(serverProcesses);

    public CpuTimes Read() => CpuTimes.Read(serverProcesses) - _start;
}

/// <summary>Processor time that all processes of the machine have used, interrupts left out.</summary>
internal static class MachineCpu
{
    /// <summary>As in <c>/proc/PID/stat</c>: hundredths of a second.</summary>
    private const long TicksPerSecond = 100;

    public static TimeSpan Read()
    {
        // "cpu  user nice system idle ...": what is behind the first three is idle, or no process's own.
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var ticks = fields[1..4].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
        return TimeSpan.FromTicks(ticks * TimeSpan.TicksPerSecond / TicksPerSecond);
    }
}

/// <summary>Processor time of a process, user and system, as <c>/proc/PID/stat</c> has it.</summary>
internal static class ProcessCpu
{
    /// <summary>Linux reports in hundredths of a second to user space, for any tick of the kernel's own.</summary>
    private const long TicksPerSecond = 100;

    /// <summary>Of the fields behind the program's name: utime, stime, then cutime and cstime of children that have ended.</summary>
    private const int UserTime = 11;

    /// <exception cref="IOException">There is no such process.</exception>
    public static TimeSpan Read(int processId) => Sum(processId, 2);

    /// <inheritdoc cref="Read"/>
    public static TimeSpan ReadWithChildren(int processId) => Sum(processId, 4);

    private static TimeSpan Sum(int processId, int fields)
    {
        string stat;
        try
        {
            stat = File.ReadAllText($"/proc/{processId}/stat");
        }
        catch (IOException error)
        {
            throw new IOException($"the server process {processId} has ended", error);
        }

        // The second field is the program's name in brackets, which may itself hold spaces and brackets.
        var ticks = stat[(stat.LastIndexOf(')') + 2)..].Split(' ').Skip(UserTime).Take(fields).Sum(static field => long.Parse(field, CultureInfo.InvariantCulture));
        return TimeSpan.FromTicks(ticks * TimeSpan.TicksPerSecond / TicksPerSecond);
    }
}
