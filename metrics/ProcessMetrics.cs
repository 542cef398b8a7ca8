using System.Diagnostics;
using System.Diagnostics.Metrics;

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
