using System.Runtime.InteropServices;

namespace Cluster.Grains.Tensors;

/// <summary>
/// Aligned native memory for tensors that cannot be used where they lie in a request: typed contents and misaligned bytes. Owned by one
/// worker thread and emptied after each request.
/// </summary>
internal sealed unsafe class NativeScratch
{
    /// <summary>A cache line, which vector instructions like best.</summary>
    private const int Alignment = 64;

    private readonly List<nint> _blocks = [];

    /// <summary>Memory that lives until <see cref="Clear"/>; its content is undefined.</summary>
    public Span<byte> Allocate(int length)
    {
        var block = NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), Alignment);
        _blocks.Add((nint)block);
        return new Span<byte>(block, length);
    }

    public void Clear()
    {
        foreach (var block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }

        _blocks.Clear();
    }
}
