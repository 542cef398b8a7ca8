using System.Globalization;

namespace Cluster.Bench.Measurement;

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
