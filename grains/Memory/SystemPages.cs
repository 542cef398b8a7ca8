using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Memory;

/// <summary>Memory straight from Linux. Freed memory is the system's at once.</summary>
internal static unsafe partial class SystemPages
{
    private const int ReadWrite = 0x1 | 0x2;
    private const int ReadExecute = 0x1 | 0x4;
    private const int PrivateAnonymous = 0x02 | 0x20;
    private const int Shared = 0x01;
    private const nint Failed = -1;

    /// <summary>Pages full of zeros; null where the system has none.</summary>
    public static void* Take(nuint bytes)
    {
        var pages = Map(null, bytes, ReadWrite, PrivateAnonymous, -1, 0);
        return (nint)pages == Failed ? null : pages;
    }

    /// <summary>The pages of a file in memory; null where the system has none.</summary>
    public static void* Share(SafeFileHandle file, nuint bytes)
    {
        var pages = Map(null, bytes, ReadWrite, Shared, (int)file.DangerousGetHandle(), 0);
        return (nint)pages == Failed ? null : pages;
    }

    public static void GiveBack(void* pages, nuint bytes) => _ = Unmap(pages, bytes);

    /// <summary>Pages that hold <paramref name="code"/>, to be run and no more to be written; null where the system does not allow it.</summary>
    public static void* TakeForCode(ReadOnlySpan<byte> code)
    {
        var pages = Take((nuint)code.Length);
        if (pages == null)
        {
            return null;
        }

        code.CopyTo(new Span<byte>(pages, code.Length));
        return Protect(pages, (nuint)code.Length, ReadExecute) == 0 ? pages : null;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(void* address, nuint length, int protection);
}

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
