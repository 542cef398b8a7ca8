using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Cluster.Contracts.Buffers;

namespace Cluster.Silo.Transport;

/// <summary>
/// What Orleans reads its messages from. Each read hands it whole messages, and opens their payloads on the thread that reads until that advances;
/// payloads are received right into their memory.
/// </summary>
internal sealed class FrameReader : PipeReader, IValueTaskSource<ReadResult>, IDisposable
{
    private const int BufferBytes = 64 << 10;

    /// <summary>After a frame with payloads the next has some too: its head is read, and little of the payload that would have to be copied.</summary>
    private const int HeadReadBytes = 2 << 10;

    private readonly IFrameChannel _channel;
    private readonly long _limit;
    private readonly StallWatch _stall;
    private readonly Action<Exception?> _ended;
    private readonly IncomingPayloads _payloads = new();
    private readonly List<(int Place, PayloadBuffer Payload)> _receiving = [];
    private readonly Action _received;
    private ManualResetValueTaskSourceCore<bool> _core;
    private ValueTaskAwaiter<bool> _awaiter;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _start;
    private int _end;
    private ReadOnlyMemory<byte> _messages;
    private LargeMessage? _large;
    private int _readBytes = BufferBytes;
    private bool _examined;
    private volatile bool _canceled;
    private bool _completed;

    /// <param name="ended">Told once that there is no more to read, and why if it is not that the peer ended.</param>
    public FrameReader(IFrameChannel channel, TransportOptions options, TimeProvider time, Action<Exception?> ended)
    {
        _channel = channel;
        _limit = options.MaxMessageBytes;
        _ended = ended;
        _received = Received;
        _stall = new StallWatch(time, options.StallTimeout, () => Stalled(options.StallTimeout));
    }

    private bool IsAmid => _end > _start || _large is not null;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryRead(out var result))
        {
            return ValueTask.FromResult(result);
        }

        _payloads.Reset(0);
        return Await(ReceiveMessagesAsync());
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (_canceled || _messages.Length > 0)
        {
            if (_examined && !_canceled)
            {
                throw new InvalidDataException("a frame ends within a message");
            }

            result = Result(more: true);
            return true;
        }

        result = default;
        return false;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _payloads.Close();
        var all = new ReadOnlySequence<byte>(_messages);
        var taken = (int)(all.GetOffset(consumed) - all.GetOffset(all.Start));

        // After a message that it cannot read, Orleans asks for more though whole messages follow: they are handed on again.
        _examined = taken == 0 && all.GetOffset(examined) == all.GetOffset(all.End);
        _messages = _messages[taken..];
        if (_messages.Length == 0)
        {
            _examined = false;
            _payloads.Reset(0);
        }
    }

    /// <summary>Ends reading for good: Orleans cancels to close the connection.</summary>
    public override void CancelPendingRead()
    {
        _canceled = true;
        _channel.EndReceive();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _payloads.Close();
        if (_completed)
        {
            return;
        }

        _completed = true;
        _messages = default;
        _payloads.Reset(0);
        _stall.Dispose();
        _large?.Dispose();
        _large = null;
        foreach (var (_, payload) in _receiving)
        {
            payload.Dispose();
        }

        _receiving.Clear();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    public void Dispose() => Complete();

    /// <summary>On the thread that reads on: payloads are opened there.</summary>
    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => Result(_core.GetResult(token));

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private ReadResult Result(bool more)
    {
        if (_canceled || !more)
        {
            return new ReadResult(default, _canceled, isCompleted: !more);
        }

        _payloads.Open();
        return new ReadResult(new ReadOnlySequence<byte>(_messages), isCanceled: false, isCompleted: false);
    }

    private ValueTask<ReadResult> Await(ValueTask<bool> receive)
    {
        _awaiter = receive.GetAwaiter();
        if (_awaiter.IsCompleted)
        {
            return ValueTask.FromResult(Result(_awaiter.GetResult()));
        }

        _core.Reset();
        _awaiter.UnsafeOnCompleted(_received);
        return new ValueTask<ReadResult>(this, _core.Version);
    }

    private void Received()
    {
        try
        {
            _core.SetResult(_awaiter.GetResult());
        }
        catch (Exception exception)
        {
            _core.SetException(exception);
        }
    }

    private void Stalled(TimeSpan limit)
    {
        _ended(new TimeoutException($"a message that had begun brought no further byte for {limit.TotalSeconds:0.#} s"));
        _channel.Close();
    }

    /// <summary>Receives until there are whole messages.</summary>
    /// <returns>False at the end.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReceiveMessagesAsync()
    {
        try
        {
            while (true)
            {
                if (!await FillAsync(FrameHeader.Size).ConfigureAwait(false))
                {
                    return End(IsAmid ? new InvalidDataException("the connection ended within a message") : null);
                }

                var header = FrameHeader.Read(_buffer.AsSpan(_start), _limit);
                if (header.Kind == FrameKind.Piece)
                {
                    if (await ReceivePieceAsync(header).ConfigureAwait(false))
                    {
                        return true;
                    }
                }
                else if (await ReceiveFrameAsync(header).ConfigureAwait(false))
                {
                    return true;
                }
            }
        }
        catch (Exception exception)
        {
            // Bad data from a peer ends this connection and nothing else.
            return End(exception);
        }
    }

    /// <summary>After a cancellation its caller closes the connection.</summary>
    private bool End(Exception? reason)
    {
        if (!_canceled)
        {
            _ended(reason);
        }

        return false;
    }

    /// <returns>Whether there are whole messages.</returns>
    private async ValueTask<bool> ReceiveFrameAsync(FrameHeader header)
    {
        if (header.Kind == FrameKind.Large && _large is not null)
        {
            throw new InvalidDataException("a large message began before the last one was complete");
        }

        if (!await FillAsync(header.HeadBytes).ConfigureAwait(false))
        {
            throw new InvalidDataException("the connection ended within a message");
        }

        RentPayloads(header);
        var messages = _buffer.AsMemory(_start + FrameHeader.Size, header.MessageBytes);
        _start += (int)header.HeadBytes;
        if (header.Kind == FrameKind.Large)
        {
            _large = new LargeMessage(messages.Span, header, [.. _receiving]);
            _receiving.Clear();
            _readBytes = HeadReadBytes;
            return false;
        }

        _readBytes = header.Payloads > 0 ? HeadReadBytes : BufferBytes;
        foreach (var (_, payload) in _receiving)
        {
            await ReceivePayloadAsync(payload.Memory).ConfigureAwait(false);
        }

        _payloads.Reset(header.Flush);
        HandOn(_receiving);
        _receiving.Clear();
        _messages = messages;
        return true;
    }

    private async ValueTask<bool> ReceivePieceAsync(FrameHeader header)
    {
        var large = _large ?? throw new InvalidDataException("a piece came of no message");
        _start += FrameHeader.Size;
        _readBytes = HeadReadBytes;
        await ReceivePayloadAsync(large.Next(header)).ConfigureAwait(false);
        if (!large.IsComplete)
        {
            return false;
        }

        _large = null;
        _payloads.Reset(large.Flush);
        HandOn(large.Payloads);
        _messages = large.Messages;
        return true;
    }

    private void RentPayloads(FrameHeader header)
    {
        var entries = _buffer.AsSpan(_start + FrameHeader.Size + header.MessageBytes, header.Payloads * FrameHeader.EntrySize);
        var left = header.PayloadBytes;
        for (var i = 0; i < header.Payloads; i++)
        {
            var (length, place, padding) = FrameHeader.ReadEntry(entries[(i * FrameHeader.EntrySize)..]);
            if ((left -= length) < 0)
            {
                break;
            }

            _receiving.Add((place, PayloadBuffer.Rent(length, padding)));
        }

        if (left != 0)
        {
            throw new InvalidDataException($"the payloads of a frame do not add up to {header.PayloadBytes} bytes");
        }
    }

    private void HandOn(IReadOnlyList<(int Place, PayloadBuffer Payload)> payloads)
    {
        for (var i = 0; i < payloads.Count; i++)
        {
            _payloads.Add(payloads[i].Place, payloads[i].Payload);
        }
    }

    /// <summary>Fills <paramref name="target"/> with what follows.</summary>
    private async ValueTask ReceivePayloadAsync(Memory<byte> target)
    {
        var buffered = Math.Min(target.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(target.Span);
        _start += buffered;
        for (target = target[buffered..]; target.Length > 0;)
        {
            var count = await ReceiveAsync(target, isAmid: true).ConfigureAwait(false);
            target = count > 0 ? target[count..] : throw new InvalidDataException("the connection ended within a message");
        }
    }

    /// <summary>Has at least <paramref name="count"/> bytes in the buffer.</summary>
    /// <returns>False at the end.</returns>
    private async ValueTask<bool> FillAsync(long count)
    {
        while (_end - _start < count)
        {
            MakeRoom(count);
            var room = _buffer.AsMemory(_end, (int)Math.Min(_buffer.Length - _end, Math.Max(_readBytes, count - (_end - _start))));
            var received = await ReceiveAsync(room, IsAmid).ConfigureAwait(false);
            if (received == 0)
            {
                return false;
            }

            _end += received;
        }

        return true;
    }

    /// <summary>Grows with the bytes that have come, not with the length that a header promises.</summary>
    private void MakeRoom(long count)
    {
        var held = _end - _start;
        if (_start > 0 && (held == 0 || _buffer.Length - _start < count))
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
            (_start, _end) = (0, held);
        }

        if (_end < _buffer.Length && (count <= BufferBytes || _end < _buffer.Length / 2))
        {
            if (held == 0 && _buffer.Length > BufferBytes * 2)
            {
                Replace(BufferBytes);
            }

            return;
        }

        Replace((int)Math.Min(Math.Max(count, BufferBytes), 2L * _buffer.Length));
    }

    private void Replace(int length)
    {
        var other = ArrayPool<byte>.Shared.Rent(length);
        _buffer.AsSpan(_start, _end - _start).CopyTo(other);
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (other, 0, _end - _start);
    }

    private ValueTask<int> ReceiveAsync(Memory<byte> target, bool isAmid)
    {
        var receive = _channel.ReceiveAsync(target);
        return receive.IsCompleted || !isAmid ? receive : WatchAsync(receive);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WatchAsync(ValueTask<int> receive)
    {
        _stall.Begin();
        try
        {
            return await receive.ConfigureAwait(false);
        }
        finally
        {
            _stall.End();
        }
    }
}
