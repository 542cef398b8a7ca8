using Cluster.Contracts.Buffers;

namespace Cluster.Gateway.Grpc;

/// <summary>A stream to write into pooled memory; what exceeds the limit is dropped, and then there is no result.</summary>
internal sealed class PayloadStream(int limit) : Stream
{
    private const int InitialLength = 4096;

    private GrowingPayload _payload = new(InitialLength, limit, padding: 0);
    private bool _overflow;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>What was written; null if it exceeded the limit.</summary>
    public PayloadBuffer? TryDetach() => _overflow ? null : _payload.Detach();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty && !_overflow)
        {
            var room = _payload.GetRoom().Span;
            var count = Math.Min(room.Length, buffer.Length);
            buffer[..count].CopyTo(room);
            _payload.Advance(count);
            buffer = buffer[count..];
            _overflow = count == 0;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _payload.Dispose();
        base.Dispose(disposing);
    }
}
