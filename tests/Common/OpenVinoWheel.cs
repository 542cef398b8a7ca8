namespace Cluster.Tests.Common;

/// <summary>Libraries of OpenVINO from ../shared/openvino, unpacked once beside the tests.</summary>
public static class OpenVinoWheel
{
    private static readonly Lazy<Task<string>> BuiltInFolder = new(static () => UnpackAsync("onnxruntime-openvino-1.24.1-linux-x64.tar.xz"));
    private static readonly Lazy<Task<string>> PluginFolder = new(static () => UnpackAsync("onnxruntime-ep-openvino-1.8.1-linux-x64.tar.xz"));

    /// <summary>What this machine lacks for tests with OpenVINO; null where it lacks nothing.</summary>
    public static string? Lack { get; } =
        TestPaths.SharedOpenVino is null ? "the folder ../shared/openvino beside the checkout is missing"
        : System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64 ? "OpenVINO's libraries in ../shared/openvino are for x86-64"
        : TestPaths.SharedModels is null ? "the folder ../shared/models beside the checkout is missing"
        : null;

    /// <summary>Whether the plugin should find a device.</summary>
    public static bool IsIntel { get; } = File.ReadAllText("/proc/cpuinfo").Contains("GenuineIntel", StringComparison.Ordinal);

    /// <summary>An ONNX Runtime with OpenVINO in it.</summary>
    public static Task<string> BuiltInAsync() => BuiltInFolder.Value;

    public static Task<string> PluginAsync() => PluginFolder.Value;

    private static async Task<string> UnpackAsync(string archive)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "openvino", archive);
        if (!Directory.Exists(folder))
        {
            // In one step, so that a run that was ended leaves no half of it.
            var half = Directory.CreateDirectory($"{folder}.{Environment.ProcessId}").FullName;
            await Command.RunAsync("tar", ["-xJf", Path.Combine(TestPaths.SharedOpenVino!, archive), "-C", half]);
            Directory.Move(half, folder);
        }

        return folder;
    }
}
