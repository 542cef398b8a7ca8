using System.Runtime.InteropServices;

namespace Cluster.Bench.Server;

/// <summary>The one POSIX call that .NET does not offer: a signal other than SIGKILL to another process.</summary>
internal static class Signals
{
    private const int Sigterm = 15;

    /// <summary>Asks the process to end; nothing happens if it is gone.</summary>
    public static void Terminate(int processId) => _ = Kill(processId, Sigterm);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);
}
