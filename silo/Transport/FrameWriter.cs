using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Cluster.Contracts.Buffers;

namespace Cluster.Silo.Transport;

/// <summary>
/// What Orleans serializes its messages into. Memory is asked for where a message begins, and advanced over when it is complete, both on the thread that
/// serializes it. Between the two, payloads may leave beside the message. One flush is one frame; if it is long, each of its messages is one.
/// </summary>
internal sealed class FrameWriter : PipeWriter
{
    /// <summary>Orleans has at most four messages in a flush, and asks for 4 KiB for each.</summary>
    private const int InitialBytes = 32 << 10;

    private const int KeptBytes = 256 << 10;

    /// <summary>Lengths of header and body in front of each of Orleans' messages, 4 bytes each.</summary>
    private const int LengthBytes = 8;

    private static readonly FlushResult Sent = new(isCanceled: false, isCompleted: false);
    private static readonly FlushResult Canceled = new(isCanceled: true, isCompleted: false);
    private static readonly FlushResult Closed = new(isCanceled: false, isCompleted: true);

    private readonly FrameSender _sender;
    private readonly OutgoingPayloads _payloads;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBytes);
    private int _length;
    private int _canceled;

    public FrameWriter(FrameSender sender, TransportOptions options)
    {
        _sender = sender;
        _payloads = new OutgoingPayloads(options.MaxMessageBytes);
    }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _length;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        _payloads.Open(_length);
        return _buffer.AsMemory(_length);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(_buffer.Length - _length), nameof(bytes));
        _length += bytes;
        _payloads.Commit();
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        _payloads.Abandon();
        var room = Task.CompletedTask;
        if (_length > 0)
        {
            var hasPayloads = _payloads.Committed.Length > 0;
            Add(_buffer.AsSpan(0, _length));
            _payloads.Next();
            _length = 0;
            if (_buffer.Length > KeptBytes)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = ArrayPool<byte>.Shared.Rent(InitialBytes);
            }

            room = _sender.Send(here: hasPayloads);
        }

        return room.IsCompleted ? ValueTask.FromResult(Result()) : AwaitRoomAsync(room, cancellationToken);
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _canceled, 1);
        _sender.EndWait();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _payloads.Abandon();
        foreach (var entry in _payloads.Committed)
        {
            entry.Payload.Dispose();
        }

        _payloads.Next();
        _length = 0;
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void Add(ReadOnlySpan<byte> messages)
    {
        var payloads = _payloads.Committed;
        long bytes = messages.Length;
        foreach (var entry in payloads)
        {
            bytes += entry.Payload.Length;
        }

        if (bytes <= FrameSender.PieceBytes || !AreMessages(messages))
        {
            _sender.Add(messages, _payloads.Flush, payloads, 0);
            return;
        }

        var place = 0;
        for (var start = 0; start < messages.Length;)
        {
            var length = LengthOf(messages[start..]);
            var next = place;
            while (next < payloads.Length && payloads[next].Offset == start)
            {
                next++;
            }

            _sender.Add(messages.Slice(start, length), _payloads.Flush, payloads[place..next], place);
            place = next;
            start += length;
        }
    }

    /// <summary>Whether the lengths that Orleans puts in front of its messages add up. The first bytes of a connection are none.</summary>
    private bool AreMessages(ReadOnlySpan<byte> bytes)
    {
        var start = 0;
        var place = 0;
        while (start < bytes.Length)
        {
            while (place < _payloads.Committed.Length && _payloads.Committed[place].Offset == start)
            {
                place++;
            }

            var length = LengthOf(bytes[start..]);
            if (length < 0 || length > bytes.Length - start)
            {
                return false;
            }

            start += length;
        }

        return place == _payloads.Committed.Length;
    }

    /// <returns>−1 where no message can be.</returns>
    private static int LengthOf(ReadOnlySpan<byte> message)
    {
        if (message.Length < LengthBytes)
        {
            return -1;
        }

        var header = BinaryPrimitives.ReadInt32LittleEndian(message);
        var body = BinaryPrimitives.ReadInt32LittleEndian(message[4..]);
        return header <= 0 || body < 0 || (long)header + body > message.Length - LengthBytes ? -1 : LengthBytes + header + body;
    }

    private FlushResult Result() =>
        _sender.IsClosed ? Closed : Interlocked.Exchange(ref _canceled, 0) != 0 ? Canceled : Sent;

    private async ValueTask<FlushResult> AwaitRoomAsync(Task room, CancellationToken cancellationToken)
    {
        await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        return Result();
    }

    private void Reserve(int bytes)
    {
        if (bytes <= _buffer.Length - _length)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(_length + bytes), (int)Math.Min(Array.MaxLength, 2L * _buffer.Length)));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }
}
