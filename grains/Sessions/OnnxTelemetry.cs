using System.Runtime.InteropServices;

namespace Cluster.Grains.Sessions;

/// <summary>
/// ONNX Runtime starts to gather data about its use before a program can call its <c>DisableTelemetryEvents</c>. Only a variable, by its own word, keeps it
/// from making an uploader, events and an identifier of the machine at all. 1.29 ran a shell for these, and died where there is none.
/// </summary>
internal static partial class OnnxTelemetry
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    /// <summary>Switches it off, unless the variable is set already. Before the native library is loaded.</summary>
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
