using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Cluster.Grains.Memory;

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
