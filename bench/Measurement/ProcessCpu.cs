using System.Globalization;

namespace Cluster.Bench.Measurement;

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
