using System.Buffers;

namespace Cluster.Runtime;

/// <summary>Reads frames off a stream. Small ones are handed out where they lie; long bodies and payloads are read to where they belong.</summary>
internal sealed class FrameReader(Stream stream, Action received) : IDisposable
{
    /// <summary>Read at once where the last bytes were a payload's, as the next are likely to be: frames of calls that have payloads are shorter.</summary>
    private const int HeadLength = 4 << 10;

    // 64 KiB: one call of the kernel brings some fifty calls of 1 KiB, and a larger one would only be copied more.
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private byte[]? _long;
    private int _start;
    private int _end;
    private bool _expectsPayload;

    private int Buffered => _end - _start;

    /// <summary>The next header; null where the stream ends between two frames.</summary>
    /// <exception cref="EndOfStreamException">It ends in the middle of a header.</exception>
    /// <exception cref="WireFormatException">The header makes no sense.</exception>
    public async ValueTask<FrameHeader?> ReadHeaderAsync()
    {
        if (Buffered < FrameHeader.Size && !await FillAsync(FrameHeader.Size).ConfigureAwait(false))
        {
            return Buffered == 0 ? null : throw new EndOfStreamException("the connection ended in the middle of a frame");
        }

        var header = FrameHeader.Read(_buffer.AsSpan(_start));
        _start += FrameHeader.Size;
        return header;
    }

    /// <summary>The next bytes, valid until the next read.</summary>
    /// <exception cref="EndOfStreamException">There are fewer.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReadBodyAsync(int length)
    {
        ReturnLong();
        if (length > Buffered)
        {
            return ReadBodyCoreAsync(length);
        }

        _start += length;
        return new(_buffer.AsMemory(_start - length, length));
    }

    /// <summary>Reads bytes to where they belong.</summary>
    /// <exception cref="EndOfStreamException">There are fewer.</exception>
    public async ValueTask ReadExactlyAsync(Memory<byte> target)
    {
        var buffered = Math.Min(Buffered, target.Length);
        _buffer.AsSpan(_start, buffered).CopyTo(target.Span);
        _start += buffered;
        _expectsPayload = true;
        while (buffered < target.Length)
        {
            buffered += await ReadAsync(target[buffered..]).ConfigureAwait(false) is var count and > 0
                ? count
                : throw new EndOfStreamException("the connection ended in the middle of a payload");
        }
    }

    /// <summary>Passes over bytes that nobody wants.</summary>
    /// <exception cref="EndOfStreamException">There are fewer.</exception>
    public async ValueTask SkipAsync(int length)
    {
        while (length > 0)
        {
            if (Buffered == 0 && !await FillAsync(1).ConfigureAwait(false))
            {
                throw new EndOfStreamException("the connection ended in the middle of a payload");
            }

            var skipped = Math.Min(length, Buffered);
            _start += skipped;
            length -= skipped;
        }
    }

    public void Dispose()
    {
        ReturnLong();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadBodyCoreAsync(int length)
    {
        if (length > _buffer.Length)
        {
            _long = ArrayPool<byte>.Shared.Rent(length);
            await ReadExactlyAsync(_long.AsMemory(0, length)).ConfigureAwait(false);
            return _long.AsMemory(0, length);
        }

        if (!await FillAsync(length).ConfigureAwait(false))
        {
            throw new EndOfStreamException("the connection ended in the middle of a frame");
        }

        _start += length;
        return _buffer.AsMemory(_start - length, length);
    }

    private async ValueTask<bool> FillAsync(int count)
    {
        if (_buffer.Length - _start < count || Buffered == 0)
        {
            _buffer.AsSpan(_start, Buffered).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        while (Buffered < count)
        {
            // A longer read would bring payload too, only to be copied.
            var room = _expectsPayload ? Math.Min(Math.Max(HeadLength, count - Buffered), _buffer.Length - _end) : _buffer.Length - _end;
            _expectsPayload = false;
            var read = await ReadAsync(_buffer.AsMemory(_end, room)).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }

            _end += read;
        }

        return true;
    }

    private async ValueTask<int> ReadAsync(Memory<byte> target)
    {
        var count = await stream.ReadAsync(target).ConfigureAwait(false);
        received();
        return count;
    }

    private void ReturnLong()
    {
        if (_long is not null)
        {
            ArrayPool<byte>.Shared.Return(_long);
            _long = null;
        }
    }
}
