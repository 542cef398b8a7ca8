using System.Globalization;

namespace Cluster.Bench.Measurement;

/// <summary>Processor time, user and system, of a process that is not ours to ask.</summary>
internal static class ProcessCpu
{
    /// <summary>Linux reports in hundredths of a second to user space, whatever the kernel's own tick is.</summary>
    private const long TicksPerSecond = 100;

    /// <exception cref="IOException">There is no such process.</exception>
    public static TimeSpan Read(int processId)
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
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return TimeSpan.FromTicks(ticks * TimeSpan.TicksPerSecond / TicksPerSecond);
    }
}
