using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Repository.Files;

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
