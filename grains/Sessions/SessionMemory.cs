using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>
/// What ONNX Runtime's own allocator says that a session holds. Of its managed API only the table of C functions (<see cref="OrtApi"/>) reaches these
/// statistics: 1.31's <see cref="OrtAllocator"/> has no member for them, and <see cref="OrtKeyValuePairs"/> cannot be made of what the C function gives.
/// </summary>
internal static unsafe partial class SessionMemory
{
    /// <summary>The first version of the C API with <c>AllocatorGetStats</c> (ONNX Runtime 1.23); the table only ever grows at its end.</summary>
    private const uint ApiVersion = 23;

    /// <summary>
    /// Bytes in use of the session's CPU allocator: after a load, its weights, those rearranged for kernels included. Null where this build of ONNX Runtime, or
    /// the session's allocator, does not tell.
    /// </summary>
    public static long? Read(InferenceSession session)
    {
        var getApi = (delegate* unmanaged<uint, OrtApi*>)OrtGetApiBase()->GetApi;
        var api = getApi(ApiVersion);
        if (api == null)
        {
            return null;
        }

        using var allocator = new OrtAllocator(session, OrtMemoryInfo.DefaultInstance);
        nint statistics;
        var status = ((delegate* unmanaged<nint, nint*, nint>)api->AllocatorGetStats)(allocator.DangerousGetHandle(), &statistics);
        if (status != 0)
        {
            ((delegate* unmanaged<nint, void>)api->ReleaseStatus)(status);
            return null;
        }

        try
        {
            fixed (byte* key = "InUse\0"u8)
            {
                var value = ((delegate* unmanaged<nint, byte*, nint>)api->GetKeyValue)(statistics, key);
                return long.TryParse(Marshal.PtrToStringUTF8(value), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
            }
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)api->ReleaseKeyValuePairs)(statistics);
        }
    }

    [LibraryImport("onnxruntime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial OrtApiBase* OrtGetApiBase();
}
