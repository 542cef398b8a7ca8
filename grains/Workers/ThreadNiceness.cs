using System.Runtime.InteropServices;

namespace Cluster.Grains.Workers;

/// <summary>How readily the kernel takes a processor from a thread, setpriority(2). A thread may become nicer without a right to, and cannot go back without one.</summary>
/// <remarks>SCHED_IDLE would yield sooner, but a thread that is kept off its processor there holds locks of the runtime's that the others wait for.</remarks>
internal static partial class ThreadNiceness
{
    /// <summary>A tenth of the weight of a thread that is not nice, sched(7). It runs as fast as ever where no other wants the processor.</summary>
    private const int Yielding = 10;

    private const int OfThread = 0;

    /// <summary>Makes the calling thread nice.</summary>
    /// <returns>False where the system does not let it.</returns>
    public static bool TryYield() => OperatingSystem.IsLinux() && SetPriority(OfThread, 0, Yielding) == 0;

    [LibraryImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetPriority(int which, uint who, int niceness);
}
