using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Repository.Files;

/// <summary>
/// What tells without reading it that a file is another one or has changed. The change time is set by the kernel alone, so that
/// content replaced by a copy that keeps size and modification time is noticed too.
/// </summary>
/// <param name="Kind">With links followed, never <see cref="FileKind.Link"/>.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
/// <param name="Changed">Nanoseconds since 1970; 0 where the platform does not tell.</param>
/// <param name="Inode">0 where the platform does not tell.</param>
/// <param name="Device">0 where the platform does not tell.</param>
internal readonly record struct FileStat(FileKind Kind, long Size, long Modified, long Changed, ulong Inode, ulong Device)
{
    /// <summary>Of the file itself, or of what a link finally leads to.</summary>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="IOException">It cannot be told.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder on the way may not be entered.</exception>
    public static FileStat? Read(string path, bool followLinks) =>
        LinuxStat.IsAvailable ? LinuxStat.Read(path, followLinks) : ReadPortable(path, followLinks);

    /// <summary>What .NET offers on every platform.</summary>
    internal static FileStat? ReadPortable(string path, bool followLinks)
    {
        FileSystemInfo info = new FileInfo(path);
        if (info.LinkTarget is not null)
        {
            if (!followLinks)
            {
                return new FileStat(FileKind.Link, 0, 0, 0, 0, 0);
            }

            info = new FileInfo(info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path);
        }

        if (Directory.Exists(info.FullName))
        {
            return new FileStat(FileKind.Directory, 0, 0, 0, 0, 0);
        }

        return info is FileInfo { Exists: true } file
            ? new FileStat(KindOf(file), file.Length, Nanoseconds(file.LastWriteTimeUtc), 0, 0, 0)
            : null;
    }

    /// <summary>
    /// Whether the file was touched so shortly before <paramref name="now"/> that a further write might carry the same time stamp. Kernels stamp with a resolution of up to 10 ms.
    /// </summary>
    public bool IsFresh(DateTimeOffset now) =>
        Math.Max(Modified, Changed) > Nanoseconds(now.UtcDateTime - TimeSpan.FromMilliseconds(50));

    private static FileKind KindOf(FileInfo file) =>
        (file.Attributes & FileAttributes.Device) != 0 ? FileKind.Other : FileKind.Regular;

    private static long Nanoseconds(DateTime utc) => (utc - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}

internal enum FileKind
{
    Regular,
    Directory,
    Link,

    /// <summary>A pipe, socket or device: opening one may block for ever.</summary>
    Other,
}

/// <summary>The statx system call: the one stat whose structure is the same on every architecture.</summary>
internal static partial class LinuxStat
{
    private const int CurrentFolder = -100;
    private const int DoNotFollow = 0x100;

    /// <summary>With an empty path: of what is open as the folder, which may be a file.</summary>
    private const int OfTheFolderItself = 0x1000;
    private const uint BasicFields = 0x7ff;
    private const int NoEntry = 2;
    private const int AccessDenied = 13;
    private const int NotADirectory = 20;
    private const int TypeMask = 0xF000;
    private const int DirectoryType = 0x4000;
    private const int RegularType = 0x8000;
    private const int LinkType = 0xA000;

    /// <summary>False on other platforms, old C libraries and where a sandbox forbids the call.</summary>
    public static bool IsAvailable { get; } = Probe();

    public static FileStat? Read(string path, bool followLinks)
    {
        if (Statx(CurrentFolder, path, followLinks ? 0 : DoNotFollow, BasicFields, out var found) == 0)
        {
            return StatOf(found);
        }

        var error = Marshal.GetLastPInvokeError();
        return error switch
        {
            NoEntry or NotADirectory => null,
            AccessDenied => throw new UnauthorizedAccessException($"Access to '{path}' is denied."),
            _ => throw new IOException($"'{path}': {Marshal.GetPInvokeErrorMessage(error)}", error),
        };
    }

    /// <summary>Of a file that is open.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    public static FileStat Read(SafeFileHandle file)
    {
        var isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            return Statx((int)file.DangerousGetHandle(), "", OfTheFolderItself, BasicFields, out var found) == 0
                ? StatOf(found)
                : throw new IOException($"an open file: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
        finally
        {
            if (isHeld)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>The user whose file or folder it is, links followed.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    public static uint OwnerOf(string path) => Statx(CurrentFolder, path, 0, BasicFields, out var found) == 0
        ? found.Owner
        : throw new IOException($"'{path}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    private static FileStat StatOf(in Fields found) => new(
        KindOf(found.Mode),
        (long)found.Size,
        found.Modified.Nanoseconds,
        found.Changed.Nanoseconds,
        found.Inode,
        ((ulong)found.DeviceMajor << 32) | found.DeviceMinor);

    private static FileKind KindOf(ushort mode) => (mode & TypeMask) switch
    {
        RegularType => FileKind.Regular,
        DirectoryType => FileKind.Directory,
        LinkType => FileKind.Link,
        _ => FileKind.Other,
    };

    private static bool Probe()
    {
        try
        {
            return OperatingSystem.IsLinux() && Statx(CurrentFolder, "/", 0, BasicFields, out _) == 0;
        }
        catch (Exception missing) when (missing is EntryPointNotFoundException or DllNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out Fields fields);

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct Timestamp
    {
        [FieldOffset(0)]
        public long Seconds;

        [FieldOffset(8)]
        public uint Fraction;

        public readonly long Nanoseconds => unchecked((Seconds * 1_000_000_000) + Fraction);
    }

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Fields
    {
        [FieldOffset(20)]
        public uint Owner;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(96)]
        public Timestamp Changed;

        [FieldOffset(112)]
        public Timestamp Modified;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
