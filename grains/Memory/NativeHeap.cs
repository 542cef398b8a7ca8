using System.Runtime.InteropServices;

namespace Cluster.Grains.Memory;

/// <summary>
/// The C library's heap. Each thread that loads a model leaves what it freed in an arena of its own. The system takes up to 64 MiB of it for used until this class
/// gives it back, some time after loads and unloads. Safe from any thread.
/// </summary>
internal sealed partial class NativeHeap : IDisposable
{
    /// <summary>How long after a load or an unload; what follows meanwhile is given back with it. Once a second costs a silo that loads 10 models a second a third more processor time.</summary>
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(10);

    /// <summary>musl has neither function, and keeps little.</summary>
    private static readonly Lazy<bool> IsGlibc = new(static () =>
        NativeLibrary.TryLoad("libc.so.6", typeof(NativeHeap).Assembly, DllImportSearchPath.SafeDirectories, out var library)
        && NativeLibrary.TryGetExport(library, "malloc_trim", out _)
        && NativeLibrary.TryGetExport(library, "mallinfo2", out _));

    private readonly Action _giveBack;
    private readonly ITimer _timer;
    private int _armed;

    public NativeHeap(TimeProvider time)
        : this(time, GiveBack)
    {
    }

    /// <param name="giveBack">What is done in place of the C library's work.</param>
    internal NativeHeap(TimeProvider time, Action giveBack)
    {
        _giveBack = giveBack;
        _timer = time.CreateTimer(static heap => ((NativeHeap)heap!).Due(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Bytes of the heap that are in use, by the whole process; 0 where the C library does not tell.</summary>
    public static long BytesInUse()
    {
        if (!IsGlibc.Value)
        {
            return 0;
        }

        var state = Read();
        return (long)(state.BytesInArenas + state.BytesInPages);
    }

    /// <summary>Tells that much memory may have been freed.</summary>
    public void Freed()
    {
        if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(Delay, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Due()
    {
        // Before the work: what is freed during it is due again.
        Volatile.Write(ref _armed, 0);
        _giveBack();
    }

    private static void GiveBack()
    {
        if (IsGlibc.Value)
        {
            _ = Trim(0);
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial HeapState Read();

    [LibraryImport("libc.so.6", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);

    /// <summary><c>struct mallinfo2</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct HeapState
    {
        private readonly nuint _fromSystem;
        private readonly nuint _freeBlocks;
        private readonly nuint _fastBlocks;
        private readonly nuint _mappedBlocks;
        public readonly nuint BytesInPages;
        private readonly nuint _most;
        private readonly nuint _fastBytes;
        public readonly nuint BytesInArenas;
        private readonly nuint _freeBytes;
        private readonly nuint _releasable;
    }
}
