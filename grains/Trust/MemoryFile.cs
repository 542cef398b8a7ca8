using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Contracts.Errors;
using Cluster.Grains.Memory;
using Cluster.Grains.Sessions;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Trust;

/// <summary>
/// The content of a file, in memory alone; where it is asked for, with a path for native code of this process. What was checked here is what is loaded: no other process writes
/// to it. Counts under the limit of the tensors' memory, and is the system's again as soon as it is disposed.
/// </summary>
internal sealed unsafe partial class MemoryFile : IDisposable
{
    private const uint CloseOnExecute = 1;

    private static long _total;

    private readonly SafeFileHandle? _file;
    private readonly bool _isSecret;
    private byte* _start;
    private int _disposed;

    private MemoryFile(SafeFileHandle? file, byte* start, long length, bool isSecret)
    {
        _file = file;
        _start = start;
        Length = length;
        _isSecret = isSecret;
    }

    /// <summary>Bytes of all that there are.</summary>
    public static long Total => Interlocked.Read(ref _total);

    public long Length { get; }

    public nint Address => (nint)_start;

    /// <summary>For this process alone, until it is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The number may be another file's by now.</exception>
    /// <exception cref="InvalidOperationException">It was made without a path.</exception>
    public string Path
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return _file is null
                ? throw new InvalidOperationException("this file has no path")
                : string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_file.DangerousGetHandle()}");
        }
    }

    /// <summary>All of it.</summary>
    /// <exception cref="OverflowException">It is longer than a span can be.</exception>
    public Span<byte> Bytes => new(_start, checked((int)Length));

    /// <param name="isSecret">Whether it is overwritten when it is disposed.</param>
    /// <param name="hasPath">Whether it takes a file descriptor, to have a path.</param>
    /// <exception cref="Contracts.Errors.ServingException">RESOURCE_EXHAUSTED: there is no room for it now. UNAVAILABLE: there never is.</exception>
    public static MemoryFile Create(long length, bool isSecret, bool hasPath)
    {
        Reserve(length);
        var file = hasPath ? new SafeFileHandle(MakeFile("model", CloseOnExecute), ownsHandle: true) : null;
        try
        {
            if (file is not null && (file.IsInvalid || Truncate(file, length) != 0))
            {
                throw NoMemory(length);
            }

            var start = length == 0 ? null : (byte*)(file is null ? SystemPages.Take((nuint)length) : SystemPages.Share(file, (nuint)length));
            return start == null && length > 0 ? throw NoMemory(length) : new MemoryFile(file, start, length, isSecret);
        }
        catch
        {
            file?.Dispose();
            Interlocked.Add(ref _total, -length);
            throw;
        }
    }

    /// <summary>A part of it.</summary>
    public Span<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new Span<byte>(_start + offset, length);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        if (_start != null)
        {
            if (_isSecret)
            {
                NativeMemory.Clear(_start, (nuint)Length);
            }

            SystemPages.GiveBack(_start, (nuint)Length);
            _start = null;
        }

        _file?.Dispose();
        Interlocked.Add(ref _total, -Length);
    }

    private static IOException NoMemory(long length) => new($"no memory for a file of {length} bytes: error {Marshal.GetLastPInvokeError()}");

    private static void Reserve(long length)
    {
        Interlocked.Add(ref _total, length);
        if (OnnxAllocator.Pool.HasRoom(length))
        {
            return;
        }

        Interlocked.Add(ref _total, -length);
        throw MemoryRefusal.Of(length);
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MakeFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Truncate(SafeFileHandle file, long length);
}

/// <summary>A file that has no room in memory: now, or ever.</summary>
internal static class MemoryRefusal
{
    public static ServingException Of(long length)
    {
        var limit = OnnxAllocator.Pool.Limit;
        var text = string.Create(CultureInfo.InvariantCulture, $"a file of {length} bytes does not fit in memory beside what is loaded; {limit} bytes may be taken in all");
        return new ServingException(length > limit ? Failure.Unavailable(text, LoadFailures.RetryAfter) : Failure.Exhausted(text, LoadFailures.RetryAfter));
    }
}
