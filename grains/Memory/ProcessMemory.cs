using System.Globalization;

namespace Cluster.Grains.Memory;

/// <summary>What this process takes, as the system sees it.</summary>
/// <param name="available">What it may take, bytes.</param>
internal sealed class ProcessMemory(long available)
{
    /// <summary>Bytes that stay free: the system ends a process that takes the last ones.</summary>
    private const long Margin = 64L << 20;

    /// <summary>Whether so many bytes more fit.</summary>
    public bool HasLeft(long bytes) => available == long.MaxValue || !OperatingSystem.IsLinux() || ResidentBytes() + bytes <= available - Margin;

    /// <summary>The second number of <c>/proc/self/statm</c>, in pages.</summary>
    private static long ResidentBytes()
    {
        Span<byte> text = stackalloc byte[128];
        using var file = File.OpenHandle("/proc/self/statm");
        var numbers = text[..RandomAccess.Read(file, text, 0)];
        numbers = numbers[(numbers.IndexOf((byte)' ') + 1)..];
        return long.Parse(numbers[..numbers.IndexOf((byte)' ')], NumberStyles.None, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
