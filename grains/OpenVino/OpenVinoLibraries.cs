using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Cluster.Grains.Memory;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.OpenVino;

/// <summary>Loads the libraries of an <see cref="OpenVinoFolder"/> into the process, for good.</summary>
internal static unsafe partial class OpenVinoLibraries
{
    /// <summary>The name by which managed code asks for ONNX Runtime.</summary>
    private const string OnnxRuntime = "onnxruntime";

    private const string VersionFunction = "get_openvino_version";

    /// <summary>What only OpenVINO's provider needs. ONNX Runtime alone may load that: it calls back while it is being loaded.</summary>
    private const string Compression = "libz.so.1";

    private static nint _onnxRuntime;

    /// <summary>Has managed code use this ONNX Runtime. Before the first call into it, once a process.</summary>
    /// <exception cref="OpenVinoException">A library that it needs is missing.</exception>
    public static void UseBuiltIn(OpenVinoFolder folder)
    {
        if (!NativeLibrary.TryLoad(Compression, out _))
        {
            throw new OpenVinoException(Missing(Path.Combine(folder.Path, OpenVinoFolder.Provider), $"{Compression}: cannot open shared object file"));
        }

        // Its own resolver would find ONNX Runtime where the package has it.
        OrtEnv.DisableDllImportResolver = true;
        _onnxRuntime = Load(folder.Library);
        NativeLibrary.SetDllImportResolver(typeof(OrtEnv).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(OnnxAllocator).Assembly, Resolve);
    }

    /// <summary>OpenVINO's version; loading its own library shows at once whether what that needs is there.</summary>
    /// <exception cref="OpenVinoException">It is not.</exception>
    public static string Version(OpenVinoFolder folder)
    {
        var path = folder.OpenVino() ?? throw new OpenVinoException($"--openvino '{folder.Path}' lacks libopenvino.so, which lies beside '{folder.Library}' in the wheel");
        var library = Load(path);
        if (!NativeLibrary.TryGetExport(library, VersionFunction, out var function))
        {
            return "unknown";
        }

        var version = ((delegate* unmanaged<VersionTexts>)function)();
        return Marshal.PtrToStringUTF8(version.BuildNumber)?.Split('-')[0] ?? "unknown";
    }

    private static nint Load(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException exception)
        {
            throw new OpenVinoException(Missing(path, exception.Message), exception);
        }
    }

    /// <summary>The loader's text has a line for each attempt. The useful one names the missing library.</summary>
    internal static string Missing(string path, string text) =>
        MissingOrNull(path, text) ?? $"--openvino: '{path}' cannot be loaded: {text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1]}";

    /// <summary>The same where the text names a library; else null.</summary>
    internal static string? MissingOrNull(string path, string text) => MissingLibrary().Match(text) is { Success: true } missing && missing.Groups[1].Value != path
        ? $"--openvino: '{path}' needs {Path.GetFileName(missing.Groups[1].Value)}, which is not on this machine. libz.so.1 is in the Debian package zlib1g, libstdc++.so.6 in libstdc++6, the others are in the wheel"
        : null;

    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path) => name == OnnxRuntime ? _onnxRuntime : 0;

    [GeneratedRegex(@"(\S+): cannot open shared object file")]
    private static partial Regex MissingLibrary();

    /// <summary><c>ov::Version</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct VersionTexts
    {
        public readonly nint BuildNumber;
        public readonly nint Description;
    }
}
