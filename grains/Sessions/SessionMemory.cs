using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>
/// What ONNX Runtime's own allocator says that a session holds. Its managed API does not reach these statistics, so the C API is asked: a table of functions
/// that only ever grows at its end, so that a place in it means the same in every later version.
/// </summary>
internal static unsafe partial class SessionMemory
{
    /// <summary>The first version of the C API with <c>AllocatorGetStats</c> (ONNX Runtime 1.23).</summary>
    private const uint ApiVersion = 23;

    private const int ReleaseStatus = 93;
    private const int GetKeyValue = 297;
    private const int ReleaseKeyValuePairs = 300;
    private const int AllocatorGetStats = 319;

    /// <summary>
    /// Bytes in use of the session's CPU allocator: after a load, its weights, those rearranged for kernels included. Null where this build of ONNX Runtime, or
    /// the session's allocator, does not tell.
    /// </summary>
    public static long? Read(InferenceSession session)
    {
        var api = Api();
        if (api == null)
        {
            return null;
        }

        using var allocator = new OrtAllocator(session, OrtMemoryInfo.DefaultInstance);
        nint statistics;
        var status = ((delegate* unmanaged<nint, nint*, nint>)api[AllocatorGetStats])(allocator.DangerousGetHandle(), &statistics);
        if (status != 0)
        {
            ((delegate* unmanaged<nint, void>)api[ReleaseStatus])(status);
            return null;
        }

        try
        {
            fixed (byte* key = "InUse\0"u8)
            {
                var value = ((delegate* unmanaged<nint, byte*, nint>)api[GetKeyValue])(statistics, key);
                return long.TryParse(Marshal.PtrToStringUTF8(value), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
            }
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)api[ReleaseKeyValuePairs])(statistics);
        }
    }

    /// <summary>The C API's table, or null where this build is older than <see cref="ApiVersion"/>.</summary>
    private static nint* Api()
    {
        var getApi = *(nint*)OrtGetApiBase();
        return (nint*)((delegate* unmanaged<uint, nint>)getApi)(ApiVersion);
    }

    [LibraryImport("onnxruntime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial nint OrtGetApiBase();
}
