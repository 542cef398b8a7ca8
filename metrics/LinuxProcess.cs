using System.Globalization;

namespace Cluster.Metrics;

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
