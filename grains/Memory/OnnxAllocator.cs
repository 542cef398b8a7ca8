using System.Runtime.InteropServices;
using Cluster.Contracts.Buffers;
using Cluster.Grains.Trust;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Memory;

/// <summary>
/// ONNX Runtime's CPU allocator for all sessions of the process, in place of an arena for each. An arena keeps what its largest run took until the model is unloaded, has no
/// limit, and does not tell what a run takes.
/// </summary>
internal static unsafe partial class OnnxAllocator
{
    /// <summary>The first version of the C API whose allocators have <see cref="Functions.Reserve"/>.</summary>
    private const uint Version = 18;

    private const int LargeMessage = 1 << 20;

    /// <summary>Native code reads these for as long as the process lives.</summary>
    private static Functions* _functions;
    private static long _refusals;
    private static readonly OrtMemoryInfo Device = new(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);

    public static BlockPool Pool { get; } = new(TimeProvider.System) { Beside = static () => PayloadPool.Shared.LargeBytes + MemoryFile.Total };

    /// <summary>Blocks that did not fit.</summary>
    public static long Refusals => Interlocked.Read(ref _refusals);

    private static bool MayRefuse { get; set; }

    /// <summary>Makes it the allocator of sessions with <see cref="ShareAllocator"/>; once a process.</summary>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not take it.</exception>
    public static void Register(OrtEnv environment)
    {
        delegate* unmanaged<Functions*, nuint, void*> allocate = &Allocate;
        var throwing = ThrowingCall.Around(allocate);

        // Where no function can throw, what does not fit under the limit is given all the same.
        MayRefuse = throwing != null;
        _functions = (Functions*)NativeMemory.AllocZeroed((nuint)sizeof(Functions));
        _functions->Version = Version;
        _functions->Allocate = _functions->Reserve = throwing != null ? throwing : allocate;
        _functions->Free = &Free;
        _functions->Info = &Info;
        var api = ((delegate* unmanaged<uint, OrtApi*>)OrtGetApiBase()->GetApi)(Version);
        if (((delegate* unmanaged<nint, Functions*, nint>)api->RegisterAllocator)(environment.DangerousGetHandle(), _functions) != 0)
        {
            throw new InvalidOperationException("ONNX Runtime does not take the server's allocator");
        }
    }

    /// <summary>Has a session use it.</summary>
    public static void ShareAllocator(this SessionOptions options) => options.AddSessionConfigEntry("session.use_env_allocators", "1");

    /// <summary>Bytes that large messages may take together: a third of the limit.</summary>
    public static long RoomForMessages => Pool.Limit == long.MaxValue ? long.MaxValue : Pool.Limit / 3;

    /// <summary>Whether a message may wait and run here: that one left out, large messages fit into their room.</summary>
    public static bool HasRoomForMessage(int bytes)
    {
        if (bytes < LargeMessage || PayloadPool.Shared.LargeBytes - bytes <= RoomForMessages)
        {
            return true;
        }

        PayloadPool.Shared.LookForLost();
        return false;
    }

    [UnmanagedCallersOnly]
    private static void* Allocate(Functions* self, nuint bytes)
    {
        if (bytes == 0)
        {
            return null;
        }

        var use = MemoryUse.Current;
        var block = use?.MayTake(bytes) == false && MayRefuse ? null : Pool.Allocate(bytes, use?.Id ?? 0, isForced: !MayRefuse);
        if (block == null)
        {
            use?.Refuse(bytes);
            Interlocked.Increment(ref _refusals);
            PayloadPool.Shared.LookForLost();
            return null;
        }

        use?.Take(BlockPool.SizeOf(block));
        return block;
    }

    [UnmanagedCallersOnly]
    private static void Free(Functions* self, void* block)
    {
        if (block != null)
        {
            MemoryUse.Current?.GiveBack(BlockPool.OwnerOf(block), BlockPool.SizeOf(block));
            Pool.Free(block);
        }
    }

    [UnmanagedCallersOnly]
    private static nint Info(Functions* self) => Device.DangerousGetHandle();

    [LibraryImport("onnxruntime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial OrtApiBase* OrtGetApiBase();

    /// <summary><c>OrtAllocator</c> of the C API, as far as <see cref="Version"/> has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Functions
    {
        public uint Version;
        public void* Allocate;
        public delegate* unmanaged<Functions*, void*, void> Free;
        public delegate* unmanaged<Functions*, nint> Info;
        public void* Reserve;
    }
}
