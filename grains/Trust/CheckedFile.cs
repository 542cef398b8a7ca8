using System.Runtime.InteropServices;
using Cluster.Grains.Repository.Files;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Trust;

/// <summary>
/// Opens a file so that checks and reads concern the same file. It follows no link on the whole way, does not block on a pipe or device, and takes only a regular file.
/// </summary>
internal static partial class CheckedFile
{
    private const int ReadOnly = 0;
    private const int DoNotBlock = 0x800;
    private const int CloseOnExecute = 0x80000;
    private const int CurrentFolder = -100;
    private const int LoopError = 40;
    private const int NoEntry = 2;
    private const int AccessDenied = 13;
    private const int NotADirectory = 20;
    private const int NoSuchDevice = 6;

    /// <summary>openat2 has the same number on every architecture.</summary>
    private const long OpenAt2 = 437;
    private const ulong NoLinks = 0x04;

    private static readonly int DoNotFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <param name="path">Absolute, its links resolved before.</param>
    /// <exception cref="IOException">It is gone, or is no regular file any more.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static SafeFileHandle Open(string path)
    {
        if (!LinuxStat.IsAvailable)
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }

        var handle = new SafeFileHandle(OpenDescriptor(path), ownsHandle: true);
        if (handle.IsInvalid)
        {
            var error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw error switch
            {
                NoEntry or NotADirectory => new FileNotFoundException($"'{path}' is gone"),
                AccessDenied => new UnauthorizedAccessException($"Access to '{path}' is denied."),
                LoopError or NoSuchDevice => NotRegular(path),
                _ => new IOException($"'{path}': {Marshal.GetPInvokeErrorMessage(error)}", error),
            };
        }

        if (LinuxStat.Read(handle).Kind != FileKind.Regular)
        {
            handle.Dispose();
            throw NotRegular(path);
        }

        return handle;
    }

    private static NotRegularException NotRegular(string path) => new($"'{Path.GetFileName(path)}' is no regular file");

    private static int OpenDescriptor(string path)
    {
        const int flags = ReadOnly | DoNotBlock | CloseOnExecute;
        var how = new OpenHow { Flags = (ulong)(flags | DoNotFollow), Resolve = NoLinks };
        var opened = Call(OpenAt2, CurrentFolder, path, ref how, (nuint)Marshal.SizeOf<OpenHow>());
        if (opened >= 0 || Marshal.GetLastPInvokeError() is NoEntry or AccessDenied or NotADirectory or LoopError or NoSuchDevice)
        {
            return (int)opened;
        }

        // Kernels before 5.6, and sandboxes that do not know the call: the last link is not followed.
        return OpenAt(CurrentFolder, path, flags | DoNotFollow, 0);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Call(long number, int folder, string path, ref OpenHow how, nuint size);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int OpenAt(int folder, string path, int flags, uint mode);

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }
}

/// <summary>A pipe, socket, device, folder or link where a file was expected.</summary>
internal sealed class NotRegularException(string message) : IOException(message);
