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
    private readonly IFrameChannel _channel;
    private readonly long _limit;
    private readonly ReceiveBuffer _buffer;
    private readonly Action<Exception?> _ended;
    private readonly IncomingPayloads _payloads = new();
    private readonly List<(int Place, PayloadBuffer Payload)> _receiving = [];
    private readonly Action _received;
    private ManualResetValueTaskSourceCore<bool> _core;
    private ValueTaskAwaiter<bool> _awaiter;
    private ReadOnlyMemory<byte> _messages;
    private LargeMessage? _large;
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
        _buffer = new ReceiveBuffer(channel, options.StallTimeout, time, ended);
    }

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
        _large?.Dispose();
        _large = null;
        foreach (var (_, payload) in _receiving)
        {
            payload.Dispose();
        }

        _receiving.Clear();
        _buffer.Dispose();
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

    /// <summary>Receives until there are whole messages.</summary>
    /// <returns>False at the end.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReceiveMessagesAsync()
    {
        try
        {
            while (true)
            {
                if (!await _buffer.FillAsync(FrameHeader.Size, isAmid: _large is not null).ConfigureAwait(false))
                {
                    return End(_buffer.Held > 0 || _large is not null ? new InvalidDataException("the connection ended within a message") : null);
                }

                var header = FrameHeader.Read(_buffer.Peek(0, FrameHeader.Size).Span, _limit);
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

        if (!await _buffer.FillAsync(header.HeadBytes, isAmid: true).ConfigureAwait(false))
        {
            throw new InvalidDataException("the connection ended within a message");
        }

        RentPayloads(header);
        var messages = _buffer.Peek(FrameHeader.Size, header.MessageBytes);
        _buffer.Skip((int)header.HeadBytes);
        if (header.Kind == FrameKind.Large)
        {
            _large = new LargeMessage(messages.Span, header, [.. _receiving]);
            _receiving.Clear();
            _buffer.ExpectsPayloads = true;
            return false;
        }

        _buffer.ExpectsPayloads = header.Payloads > 0;
        foreach (var (_, payload) in _receiving)
        {
            await _buffer.ReadAsync(payload.Memory).ConfigureAwait(false);
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
        _buffer.Skip(FrameHeader.Size);
        _buffer.ExpectsPayloads = true;
        await _buffer.ReadAsync(large.Next(header)).ConfigureAwait(false);
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
        var entries = _buffer.Peek(FrameHeader.Size + header.MessageBytes, header.Payloads * FrameHeader.EntrySize).Span;
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
}

/// <summary>A message whose payloads come in pieces.</summary>
internal sealed class LargeMessage(ReadOnlySpan<byte> messages, FrameHeader header, (int Place, PayloadBuffer Payload)[] payloads) : IDisposable
{
    private int _index;
    private int _offset;

    public ReadOnlyMemory<byte> Messages { get; } = messages.ToArray();

    public uint Flush => header.Flush;

    public (int Place, PayloadBuffer Payload)[] Payloads => payloads;

    public bool IsComplete => _index == payloads.Length;

    /// <summary>Where the bytes of a piece go.</summary>
    public Memory<byte> Next(FrameHeader piece)
    {
        var payload = payloads[_index].Payload;
        if (piece.Flush != header.Flush || piece.PayloadBytes > payload.Length - _offset)
        {
            throw new InvalidDataException("a piece does not fit the message that it is of");
        }

        var target = payload.Memory.Slice(_offset, (int)piece.PayloadBytes);
        _offset += target.Length;
        if (_offset == payload.Length)
        {
            _index++;
            _offset = 0;
        }

        return target;
    }

    public void Dispose()
    {
        foreach (var (_, payload) in payloads)
        {
            payload.Dispose();
        }
    }
}
