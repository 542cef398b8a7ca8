using System.Buffers;
using Cluster.Contracts.Buffers;

namespace Cluster.Silo.Transport;

/// <summary>
/// Sends frames. What has gathered while the last system call ran leaves with the next one. A message with more than <see cref="PieceBytes"/> of
/// payload is cut, so that others need not wait for all of it. Each turn sends the gathered frames, then one piece. Safe from any thread.
/// </summary>
internal sealed class FrameSender : IThreadPoolWorkItem
{
    /// <summary>8 ms of a line of 1 Gb/s.</summary>
    public const int PieceBytes = 1 << 20;

    /// <summary>Gathered bytes over which no more are taken until they have been sent.</summary>
    private const long HighWater = 4 << 20;

    private readonly Lock _gate = new();
    private readonly IFrameChannel _channel;
    private readonly Action<Exception> _failed;
    private readonly Queue<LargeMessage> _large = [];
    private readonly List<ArraySegment<byte>> _segments = [];
    private readonly byte[] _pieceHeader = new byte[FrameHeader.Size];
    private FrameBatch _pending = new();
    private FrameBatch _sending = new();
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _stopped;
    private bool _running;
    private bool _closed;

    /// <param name="failed">Told once if the channel fails.</param>
    public FrameSender(IFrameChannel channel, Action<Exception> failed)
    {
        _channel = channel;
        _failed = failed;
    }

    /// <summary>Nothing is sent any more.</summary>
    public bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Takes messages, which are copied, and the counts of their payloads, to be sent after the next <see cref="Send"/>.</summary>
    public void Add(ReadOnlySpan<byte> messages, uint flush, ReadOnlySpan<OutgoingPayloads.Entry> payloads, int firstPlace)
    {
        long bytes = 0;
        foreach (var entry in payloads)
        {
            bytes += entry.Payload.Length;
        }

        lock (_gate)
        {
            if (_closed)
            {
                foreach (var entry in payloads)
                {
                    entry.Payload.Dispose();
                }
            }
            else if (bytes > PieceBytes)
            {
                _large.Enqueue(new LargeMessage(messages, flush, bytes, payloads, firstPlace));
            }
            else
            {
                _pending.Add(messages, flush, bytes, payloads, firstPlace);
            }
        }
    }

    /// <summary>Starts to send the added frames.</summary>
    /// <param name="here">On this thread, as long as the channel takes it at once; else soon, with what others add until then.</param>
    /// <returns>Completes when more may be added.</returns>
    public Task Send(bool here)
    {
        Task room;
        lock (_gate)
        {
            room = _pending.Bytes > HighWater && !_closed ? (_room ??= NewSource()).Task : Task.CompletedTask;
            if (_running || _closed)
            {
                return room;
            }

            _running = true;
        }

        if (here)
        {
            _ = SendAllAsync();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        return room;
    }

    /// <summary>Has all wait no longer for room.</summary>
    public void EndWait()
    {
        lock (_gate)
        {
            _room?.TrySetResult();
            _room = null;
        }
    }

    /// <summary>Releases unsent frames. The channel must be closed, so that the frame on its way fails.</summary>
    /// <returns>Completes when no memory is used any more.</returns>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _closed = true;
            _room?.TrySetResult();
            _room = null;
            if (_running)
            {
                return (_stopped ??= NewSource()).Task;
            }

            Release();
            return Task.CompletedTask;
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = SendAllAsync();

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task SendAllAsync()
    {
        Exception? failure = null;
        try
        {
            while (TryTake(out var large))
            {
                _sending.AppendTo(_segments);
                large?.AppendTo(_segments, _pieceHeader);
                await _channel.SendAsync(_segments).ConfigureAwait(false);
                _segments.Clear();
                _sending.Clear();
                large?.Release();
            }
        }
        catch (Exception exception)
        {
            // Any failure ends the connection.
            failure = exception;
            lock (_gate)
            {
                Stop();
            }
        }

        if (failure is not null)
        {
            _failed(failure);
        }
    }

    private bool TryTake(out LargeMessage? large)
    {
        lock (_gate)
        {
            large = null;
            if (_large.TryPeek(out var first) && first.IsSent)
            {
                _large.Dequeue().Dispose();
            }

            if (_closed)
            {
                Stop();
                return false;
            }

            _room?.TrySetResult();
            _room = null;
            _large.TryPeek(out large);
            if (_pending.Bytes == 0 && large is null)
            {
                _running = false;
                return false;
            }

            (_pending, _sending) = (_sending, _pending);
            return true;
        }
    }

    private void Stop()
    {
        _closed = true;
        _running = false;
        Release();
        _room?.TrySetResult();
        _stopped?.TrySetResult();
    }

    private void Release()
    {
        _segments.Clear();
        _pending.Clear();
        _sending.Clear();
        while (_large.TryDequeue(out var message))
        {
            message.Dispose();
        }
    }

    /// <summary>A message that is sent in pieces.</summary>
    private sealed class LargeMessage : IDisposable
    {
        private readonly PayloadBuffer[] _payloads;
        private readonly int _headLength;
        private readonly uint _flush;
        private byte[]? _head;
        private int _index;
        private int _offset;
        private int _piece;

        public LargeMessage(ReadOnlySpan<byte> message, uint flush, long bytes, ReadOnlySpan<OutgoingPayloads.Entry> payloads, int firstPlace)
        {
            _flush = flush;
            var header = new FrameHeader(FrameKind.Large, payloads.Length, message.Length, flush, bytes);
            _headLength = (int)header.HeadBytes;
            _head = ArrayPool<byte>.Shared.Rent(_headLength);
            FrameBatch.WriteHead(_head, header, message, payloads, firstPlace);
            _payloads = new PayloadBuffer[payloads.Length];
            for (var i = 0; i < payloads.Length; i++)
            {
                _payloads[i] = payloads[i].Payload;
            }
        }

        public bool IsSent => _index == _payloads.Length;

        /// <summary>The next piece, and all that comes before the first.</summary>
        public void AppendTo(List<ArraySegment<byte>> segments, byte[] header)
        {
            if (_index == 0 && _offset == 0)
            {
                segments.Add(new ArraySegment<byte>(_head!, 0, _headLength));
            }

            var payload = _payloads[_index].Memory;
            _piece = Math.Min(PieceBytes, payload.Length - _offset);
            new FrameHeader(FrameKind.Piece, 0, 0, _flush, _piece).Write(header);
            segments.Add(header);
            segments.Add(FrameBatch.Segment(payload.Slice(_offset, _piece)));
        }

        /// <summary>The piece has been sent.</summary>
        public void Release()
        {
            _offset += _piece;
            if (_offset == _payloads[_index].Length)
            {
                _payloads[_index++].Dispose();
                _offset = 0;
            }
        }

        public void Dispose()
        {
            for (; _index < _payloads.Length; _index++)
            {
                _payloads[_index].Dispose();
            }

            if (Interlocked.Exchange(ref _head, null) is { } head)
            {
                ArrayPool<byte>.Shared.Return(head);
            }
        }
    }
}
