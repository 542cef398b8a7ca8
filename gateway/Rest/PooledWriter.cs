using System.Buffers;
using Cluster.Contracts.Buffers;

namespace Cluster.Gateway.Rest;

/// <summary>A buffer that grows in pooled memory and can be emptied and used again.</summary>
internal sealed class PooledWriter(int capacity) : IBufferWriter<byte>, IDisposable
{
    private byte[] _array = PayloadPool.Shared.Rent(capacity);

    public int Count { get; private set; }

    public ReadOnlyMemory<byte> Written => _array.AsMemory(0, Count);

    public void Clear() => Count = 0;

    public void Advance(int count) => Count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(Count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(Count);
    }

    public void Dispose()
    {
        PayloadPool.Shared.Return(_array);
        _array = [];
    }

    private void Reserve(int sizeHint)
    {
        var needed = Count + Math.Max(sizeHint, 1);
        if (needed <= _array.Length)
        {
            return;
        }

        var larger = PayloadPool.Shared.Rent(Math.Max(needed, (int)Math.Min(2L * _array.Length, Array.MaxLength)));
        _array.AsSpan(0, Count).CopyTo(larger);
        PayloadPool.Shared.Return(_array);
        _array = larger;
    }
}
