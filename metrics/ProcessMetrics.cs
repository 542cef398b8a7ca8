using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace Cluster.Metrics;

/// <summary>Figures of the operating system about this process, by Prometheus' conventional names once exported (<c>process_cpu_seconds_total</c>, …).</summary>
public sealed class ProcessMetrics
{
    public const string MeterName = "Cluster.Process";

    public ProcessMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(new MeterOptions(MeterName));
        var started = StartTime();
        _ = meter.CreateObservableCounter("process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "User and system CPU time spent.");
        _ = meter.CreateObservableGauge("process.start_time", () => started, "s", "When the process started, since the Unix epoch.");
        _ = meter.CreateObservableGauge("process.resident_memory", () => Environment.WorkingSet, "By", "Resident memory.");
        if (OperatingSystem.IsLinux())
        {
            _ = meter.CreateObservableGauge("process.virtual_memory", () => LinuxProcess.ReadStatus().VirtualBytes, "By", "Virtual memory.");
            _ = meter.CreateObservableGauge("process.threads", () => LinuxProcess.ReadStatus().Threads, "{thread}", "Threads of the operating system.");
            _ = meter.CreateObservableGauge("process.open_fds", LinuxProcess.CountOpenFiles, "{fd}", "Open file descriptors.");
            _ = meter.CreateObservableGauge("process.max_fds", LinuxProcess.ReadOpenFileLimit, "{fd}", "Most file descriptors that may be open.");
        }
    }

    private static double StartTime()
    {
        using var process = Process.GetCurrentProcess();
        return (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
    }
}

/// <summary>This process as Linux' <c>/proc/self</c> shows it.</summary>
public static class LinuxProcess
{
    /// <summary>From <c>status</c>; 0 for a line that the kernel leaves out.</summary>
    public static (long VirtualBytes, long Threads) ReadStatus()
    {
        var (virtualKibibytes, threads) = (0L, 0L);
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("VmSize:", StringComparison.Ordinal))
            {
                virtualKibibytes = FirstNumber(line);
            }
            else if (line.StartsWith("Threads:", StringComparison.Ordinal))
            {
                threads = FirstNumber(line);
            }
        }

        return (virtualKibibytes * 1024, threads);
    }

    public static long CountOpenFiles() => Directory.EnumerateFileSystemEntries("/proc/self/fd").LongCount();

    /// <summary>The soft limit; positive infinity for none.</summary>
    public static double ReadOpenFileLimit()
    {
        var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        return line is null || line.Contains("unlimited", StringComparison.Ordinal) ? double.PositiveInfinity : FirstNumber(line);
    }

    private static long FirstNumber(string line) =>
        long.TryParse(
            line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(word => char.IsAsciiDigit(word[0])), CultureInfo.InvariantCulture, out var number)
            ? number
            : 0;
}
