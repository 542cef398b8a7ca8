using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Cluster.Grains.OpenVino;

/// <summary>The unpacked files of one of the two wheels with OpenVINO, which their names tell apart. Pure except for reading the folder.</summary>
/// <param name="Kind">Which wheel it is of.</param>
/// <param name="Path">The folder that holds the libraries themselves.</param>
/// <param name="Library">What is loaded: an ONNX Runtime, or its plugin.</param>
internal sealed record OpenVinoFolder(OpenVinoKind Kind, string Path, string Library)
{
    public const string Provider = "libonnxruntime_providers_openvino.so";
    public const string Plugin = "libonnxruntime_providers_openvino_plugin.so";

    /// <summary>The wheel that serves on every x86-64 processor.</summary>
    public const string BuiltInWheel = "onnxruntime-openvino 1.24.1";

    /// <summary>The wheel for Intel's processors.</summary>
    public const string PluginWheel = "onnxruntime-ep-openvino 1.8.1";

    private const string Runtime = "libonnxruntime.so*";
    private const string Hint = $"the wheel {BuiltInWheel} serves on every x86-64 processor, {PluginWheel} on Intel's; deploy/openvino/install.sh unpacks either";

    /// <summary>A wheel has its libraries two folders down, and may have been unpacked into a folder of its own name.</summary>
    private const int Depth = 3;
    private const int MachineOffset = 18;
    private const ushort X64 = 62;
    private const ushort Arm64 = 183;

    /// <summary>Devices that OpenVINO has a library for here, by its own names.</summary>
    public ImmutableSortedSet<string> Devices() =>
    [
        .. new[] { ("CPU", "intel_cpu"), ("GPU", "intel_gpu"), ("NPU", "intel_npu"), ("AUTO", "auto") }
            .Where(device => File.Exists(System.IO.Path.Combine(Path, $"libopenvino_{device.Item2}_plugin.so")))
            .Select(static device => device.Item1),
    ];

    /// <summary>OpenVINO's own library.</summary>
    public string? OpenVino() => Directory.EnumerateFiles(Path, "libopenvino.so*").Order(StringComparer.Ordinal).FirstOrDefault();

    /// <exception cref="OpenVinoException">It holds neither form, both, or one for another processor.</exception>
    public static OpenVinoFolder Read(string folder)
    {
        try
        {
            var folders = new List<string> { folder };
            folders.AddRange(Directory.EnumerateDirectories(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = Depth - 1 }));
            var builtIn = folders.FindAll(static path => File.Exists(System.IO.Path.Combine(path, Provider)) && RuntimeIn(path) is not null);
            var plugins = folders.FindAll(static path => File.Exists(System.IO.Path.Combine(path, Plugin)));
            var found = (builtIn, plugins) switch
            {
                ([var path], []) => new OpenVinoFolder(OpenVinoKind.BuiltIn, path, RuntimeIn(path)!),
                ([], [var path]) => new OpenVinoFolder(OpenVinoKind.Plugin, path, System.IO.Path.Combine(path, Plugin)),
                ([], []) => throw new OpenVinoException($"--openvino '{folder}' has neither {Provider} beside {Runtime} nor {Plugin}; {Hint}"),
                _ => throw new OpenVinoException(
                    $"--openvino '{folder}' has OpenVINO more than once, in {string.Join(" and ", builtIn.Concat(plugins).Select(path => $"'{path}'"))}; expected one of the two wheels: {Hint}"),
            };
            Check(found.Library);
            return found;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OpenVinoException($"--openvino '{folder}' is no folder that can be read, expected what a wheel with OpenVINO unpacks to; {Hint}", exception);
        }
    }

    private static string? RuntimeIn(string folder) => Directory.EnumerateFiles(folder, Runtime).Order(StringComparer.Ordinal).FirstOrDefault();

    private static void Check(string library)
    {
        using var file = File.OpenHandle(library);
        Span<byte> head = stackalloc byte[MachineOffset + sizeof(ushort)];
        if (RandomAccess.Read(file, head, 0) < head.Length || !head.StartsWith("\u007fELF"u8))
        {
            throw new OpenVinoException($"--openvino: '{library}' is no library for Linux; {Hint}");
        }

        var machine = BinaryPrimitives.ReadUInt16LittleEndian(head[MachineOffset..]);
        var own = RuntimeInformation.ProcessArchitecture switch { Architecture.X64 => X64, Architecture.Arm64 => Arm64, _ => (ushort)0 };
        if (machine != own)
        {
            throw new OpenVinoException($"--openvino: '{library}' is for {NameOf(machine)} processors and this process runs on {NameOf(own)}; {Hint}");
        }
    }

    private static string NameOf(ushort machine) => machine switch { X64 => "x86-64", Arm64 => "arm64", _ => $"other (ELF machine {machine})" };
}

/// <summary>The forms in which OpenVINO comes for ONNX Runtime.</summary>
internal enum OpenVinoKind
{
    /// <summary>An ONNX Runtime with OpenVINO in it, in place of the packaged one.</summary>
    BuiltIn,

    /// <summary>A library that the packaged ONNX Runtime loads.</summary>
    Plugin,
}
