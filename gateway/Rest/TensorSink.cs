using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest;

/// <summary>Takes a tensor's elements one by one into a message under construction; call <see cref="Flush"/> at the end.</summary>
internal ref struct TensorSink(InferRequestBuilder builder)
{
    private const int ChunkSize = 4 << 10;

    private Span<byte> _chunk;
    private int _used;

    /// <summary>Room for the next <paramref name="size"/> bytes.</summary>
    public Span<byte> Next(int size)
    {
        if (_chunk.Length - _used < size)
        {
            Flush();
            _chunk = builder.GetSpan(Math.Max(size, ChunkSize));
        }

        var room = _chunk.Slice(_used, size);
        _used += size;
        return room;
    }

    /// <summary>Gives back the last <paramref name="size"/> bytes of what <see cref="Next"/> handed out.</summary>
    public void Return(int size) => _used -= size;

    public void Flush()
    {
        builder.Advance(_used);
        _chunk = default;
        _used = 0;
    }
}
