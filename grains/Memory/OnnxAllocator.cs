using System.Buffers.Binary;
using System.Diagnostics.Metrics;
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

/// <summary>
/// A C function around one of ours, that throws <c>std::bad_alloc</c> where ours returns null. ONNX Runtime uses a block without looking whether it got one, and expects its
/// allocator to throw, which managed code cannot do to C++. The exception begins after our function has returned, so that C++ unwinds its own frames alone.
/// </summary>
internal static unsafe class ThrowingCall
{
    /// <summary>The C++ library's own way of throwing it; ONNX Runtime links the same library.</summary>
    private const string Library = "libstdc++.so.6";
    private const string Thrower = "_ZSt17__throw_bad_allocv";

    /// <summary>
    /// sub rsp,8; mov rax,FUNCTION; call rax; add rsp,8; test rax,rax; jz +1; ret; mov rax,THROWER; jmp rax.
    /// Arguments stay in their registers; the stack is aligned for the call and as it was for the throw.
    /// </summary>
    private static ReadOnlySpan<byte> X64 =>
    [
        0x48, 0x83, 0xEC, 0x08, 0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xD0, 0x48, 0x83, 0xC4, 0x08,
        0x48, 0x85, 0xC0, 0x74, 0x01, 0xC3, 0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0,
    ];

    /// <summary>
    /// stp x29,x30,[sp,#-16]!; ldr x16,FUNCTION; blr x16; ldp x29,x30,[sp],#16; cbz x0,+8; ret; ldr x16,THROWER; br x16; FUNCTION; THROWER.
    /// </summary>
    private static ReadOnlySpan<byte> Arm64 =>
    [
        0xFD, 0x7B, 0xBF, 0xA9, 0xF0, 0x00, 0x00, 0x58, 0x00, 0x02, 0x3F, 0xD6, 0xFD, 0x7B, 0xC1, 0xA8,
        0x40, 0x00, 0x00, 0xB4, 0xC0, 0x03, 0x5F, 0xD6, 0x90, 0x00, 0x00, 0x58, 0x00, 0x02, 0x1F, 0xD6,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>The function, for as long as the process lives; null on other processors and systems, and where memory may not be run.</summary>
    public static void* Around(void* function)
    {
        var isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        if (!OperatingSystem.IsLinux()
            || (!isX64 && RuntimeInformation.ProcessArchitecture != Architecture.Arm64)
            || !NativeLibrary.TryLoad(Library, out var library)
            || !NativeLibrary.TryGetExport(library, Thrower, out var thrower))
        {
            return null;
        }

        var code = (isX64 ? X64 : Arm64).ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(code.AsSpan(isX64 ? 6 : 32), (nint)function);
        BinaryPrimitives.WriteInt64LittleEndian(code.AsSpan(isX64 ? 28 : 40), thrower);
        return SystemPages.TakeForCode(code);
    }
}

/// <summary>What the meter "Cluster.Memory" tells of the memory of a silo's sessions and runs.</summary>
internal sealed class MemoryMetrics
{
    public const string MeterName = "Cluster.Memory";

    public MemoryMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.tensor_memory.in_use", static () => OnnxAllocator.Pool.InUse, "By", "Memory of sessions and of runs under way");
        meter.CreateObservableGauge("cluster.tensor_memory.kept", static () => OnnxAllocator.Pool.KeptBytes, "By", "Memory that waits for the next run");
        meter.CreateObservableGauge("cluster.tensor_memory.limit", static () => OnnxAllocator.Pool.Limit, "By", "Memory that sessions and runs may take together");
        meter.CreateObservableCounter("cluster.tensor_memory.refusals", static () => OnnxAllocator.Refusals, "{block}", "Blocks that did not fit, each of which ended a load or a run");
    }
}
