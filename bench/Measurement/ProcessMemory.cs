using System.Globalization;

namespace Cluster.Bench.Measurement;

/// <summary>Resident memory of a process, MiB, as <c>/proc/PID/status</c> has it.</summary>
internal static class ProcessMemory
{
    private const double KibibytesPerMebibyte = 1024;

    public static double NowMib(int processId) => Read(processId, "VmRSS:");

    /// <summary>The most since its start.</summary>
    public static double PeakMib(int processId) => Read(processId, "VmHWM:");

    private static double Read(int processId, string field)
    {
        var line = File.ReadLines($"/proc/{processId}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / KibibytesPerMebibyte;
    }
}
