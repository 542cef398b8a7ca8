using System.Runtime.InteropServices;
using Cluster.Grains.Trust;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>Hands external data to ONNX Runtime from memory; the managed API has no member for it. ONNX Runtime copies what it needs while the session is made.</summary>
internal static unsafe partial class ExternalFiles
{
    /// <summary>The first version of the C API that has the function.</summary>
    private const uint Version = 18;

    /// <exception cref="InvalidDataException">ONNX Runtime does not take it.</exception>
    public static void AddExternalFiles(this SessionOptions options, IReadOnlyDictionary<string, MemoryFile> files)
    {
        if (files.Count == 0)
        {
            return;
        }

        var names = files.Keys.Select(Marshal.StringToCoTaskMemUTF8).ToArray();
        try
        {
            nint[] starts = [.. files.Values.Select(static file => file.Address)];
            nuint[] lengths = [.. files.Values.Select(static file => (nuint)file.Length)];
            var api = ((delegate* unmanaged<uint, OrtApi*>)OrtGetApiBase()->GetApi)(Version);
            nint status;
            fixed (nint* name = names, start = starts)
            fixed (nuint* length = lengths)
            {
                status = ((delegate* unmanaged<nint, nint*, nint*, nuint*, nuint, nint>)api->AddExternalInitializersFromFilesInMemory)(
                    options.DangerousGetHandle(), name, start, length, (nuint)files.Count);
            }

            if (status != 0)
            {
                ((delegate* unmanaged<nint, void>)api->ReleaseStatus)(status);
                throw new InvalidDataException("ONNX Runtime does not take the external data of the model");
            }
        }
        finally
        {
            foreach (var name in names)
            {
                Marshal.FreeCoTaskMem(name);
            }
        }
    }

    [LibraryImport("onnxruntime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial OrtApiBase* OrtGetApiBase();
}
