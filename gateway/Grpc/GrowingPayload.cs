using Cluster.Contracts.Buffers;

namespace Cluster.Gateway.Grpc;

/// <summary>Collects a message of which only an upper bound is known; memory follows the bytes that really arrive.</summary>
internal struct GrowingPayload : IDisposable
{
    private readonly int _limit;
    private readonly int _padding;
    private readonly int _growth;
    private PayloadBuffer? _buffer;
    private int _filled;

    /// <param name="initial">Bytes to rent at first.</param>
    /// <param name="limit">The most the message may hold.</param>
    /// <param name="padding">As for <see cref="PayloadBuffer.Rent"/>.</param>
    /// <param name="growth">How many times what has arrived the next memory holds, from 2; more copies less, and lets a peer claim more.</param>
    public GrowingPayload(int initial, int limit, int padding, int growth = 2)
    {
        _growth = growth;
        _limit = limit;
        _padding = padding;
        _buffer = PayloadBuffer.Rent(Math.Min(initial, limit), padding);
    }

    public readonly int Filled => _filled;

    /// <summary>Room for more: empty only when the limit is reached.</summary>
    public Memory<byte> GetRoom()
    {
        if (_filled == _buffer!.Length && _filled < _limit)
        {
            Grow();
        }

        return _buffer!.Memory[_filled..];
    }

    public void Advance(int count) => _filled += count;

    /// <summary>The message; its ownership passes to the caller.</summary>
    public PayloadBuffer Detach()
    {
        var buffer = _buffer!;
        _buffer = null;
        buffer.Truncate(_filled);
        return buffer;
    }

    /// <summary>Gives back what was not detached.</summary>
    public void Dispose()
    {
        _buffer?.Dispose();
        _buffer = null;
    }

    private void Grow()
    {
        var size = (int)Math.Min(_limit, Math.Max(4096, (long)_growth * _filled));
        var larger = PayloadBuffer.Rent(size, _padding);
        _buffer!.Span.CopyTo(larger.Span);
        _buffer.Dispose();
        _buffer = larger;
    }
}
