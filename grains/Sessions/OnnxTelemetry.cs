using System.Runtime.InteropServices;

namespace Cluster.Grains.Sessions;

/// <summary>
/// ONNX Runtime 1.29 starts to gather data about its use before a program can call its <c>DisableTelemetryEvents</c>; while it does, it runs a shell, and
/// the process dies where there is none. What it looks at first is a variable.
/// </summary>
internal static partial class OnnxTelemetry
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    /// <summary>Switches it off, unless somebody has set the variable. Before the native library is loaded.</summary>
    /// <exception cref="InvalidOperationException">The process has no memory for a variable more.</exception>
    public static void Disable()
    {
        // .NET keeps variables of its own, which native code does not see.
        if (SetVariable(Variable, "1", overwrite: 0) != 0)
        {
            throw new InvalidOperationException($"the variable {Variable} cannot be set: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
