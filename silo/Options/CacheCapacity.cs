using System.Globalization;

namespace Cluster.Silo.Options;

/// <summary>Reads the option <c>--capacity</c>.</summary>
internal static class CacheCapacity
{
    /// <summary>The share of the process' memory that models may take where nothing is said.</summary>
    public const double DefaultShare = 0.6;

    /// <summary>Less would hold next to no model: an operator who writes less has forgotten the unit.</summary>
    private const long Least = 1 << 20;

    private static readonly (string Text, long Bytes)[] Units =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("bytes", 1), ("", 1)];

    /// <param name="text">Null for the default.</param>
    /// <param name="bytes">Null: the default share of what <see cref="MemoryLimit"/> tells.</param>
    public static bool TryParse(string? text, out long? bytes)
    {
        bytes = null;
        if (text is null)
        {
            return true;
        }

        if (text == "unlimited")
        {
            bytes = long.MaxValue;
            return true;
        }

        var (unit, factor) = Units.First(candidate => text.EndsWith(candidate.Text, StringComparison.OrdinalIgnoreCase));
        if (!decimal.TryParse(text.AsSpan(0, text.Length - unit.Length).TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number > long.MaxValue / factor)
        {
            return false;
        }

        bytes = (long)(number * factor);
        return bytes >= Least;
    }

    /// <summary>The capacity in bytes. The text is valid.</summary>
    public static long Of(string? text) =>
        TryParse(text, out var bytes) && bytes is { } given ? given : (long)(MemoryLimit.Read("/") * DefaultShare);
}

/// <summary>How much memory this process may use.</summary>
internal static class MemoryLimit
{
    /// <summary>The least of the machine's memory and the limits of the process' control group and those above it, bytes.</summary>
    /// <param name="root">The file system's root; tests have their own.</param>
    public static long Read(string root)
    {
        var limits = GroupLimits(root).Append(MachineMemory(root));
        return limits.Where(limit => limit > 0).DefaultIfEmpty(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes).Min();
    }

    /// <summary>Version 2 of control groups has one tree with <c>memory.max</c>, version 1 one for memory alone.</summary>
    private static IEnumerable<long> GroupLimits(string root)
    {
        foreach (var line in Lines(Path.Combine(root, "proc/self/cgroup")))
        {
            if (line.Split(':', 3) is not [_, var controllers, var path])
            {
                continue;
            }

            var (tree, file) = controllers.Length == 0 ? ("sys/fs/cgroup", "memory.max") : ("sys/fs/cgroup/memory", "memory.limit_in_bytes");
            if (controllers.Length > 0 && !controllers.Split(',').Contains("memory"))
            {
                continue;
            }

            // Inside a container the path may be the host's, which is not there or leads out: the tree's own root holds the container's limit.
            for (var group = path.Contains("..", StringComparison.Ordinal) ? "" : path.Trim('/'); ; group = Path.GetDirectoryName(group) ?? "")
            {
                foreach (var limit in Lines(Path.Combine(root, tree, group, file)))
                {
                    yield return Number(limit);
                }

                if (group.Length == 0)
                {
                    break;
                }
            }
        }
    }

    private static long MachineMemory(string root) =>
        Lines(Path.Combine(root, "proc/meminfo"))
            .Where(line => line.StartsWith("MemTotal:", StringComparison.Ordinal))
            .Select(line => Number(line["MemTotal:".Length..].Replace("kB", "", StringComparison.Ordinal)) << 10)
            .FirstOrDefault();

    /// <summary>0 for "max", which is no limit.</summary>
    private static long Number(string text) =>
        long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
