using System.Diagnostics.CodeAnalysis;

namespace Cluster.Runtime;

/// <summary>
/// Sends the messages of one connection. Whoever adds to an idle outbox starts the flushing, on the thread pool, so that what is
/// added meanwhile goes out with it in one write. Payloads go out in chunks, small messages in between; of two large messages each
/// gets its turn.
/// </summary>
internal sealed class Outbox(FrameWriter writer, long limit, Action<Exception> failed) : IThreadPoolWorkItem
{
    /// <summary>A longer head is sent from where it lies; one that is copied leaves room for a chunk's header.</summary>
    private const int MaxCopiedHead = FrameWriter.MaxCopied - FrameHeader.Size;

    /// <summary>What a large message may send before the next one's turn: most are through by then.</summary>
    private const long TurnLength = 1 << 20;

    private readonly Lock _gate = new();
    private readonly Queue<OutgoingMessage> _queue = new();
    private readonly Queue<OutgoingMessage> _large = new();
    private readonly List<OutgoingMessage> _taken = [];
    private readonly List<OutgoingMessage> _done = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private OutgoingMessage? _current;
    private long _turnLeft;
    private long _bytes;
    private bool _flushing;
    private bool _closed;
    private TaskCompletionSource? _idle;

    /// <summary>Called after a write brought the bytes below the limit. Must not throw.</summary>
    public Action? Drained { get; set; }

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>More is refused or has to wait.</summary>
    public bool IsFull => Bytes >= limit;

    /// <summary>False: closed, and the message is still the caller's.</summary>
    public bool TryAdd(OutgoingMessage message)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            Interlocked.Add(ref _bytes, message.Bytes);
            _queue.Enqueue(message);
            if (_flushing)
            {
                return true;
            }

            _flushing = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    /// <summary>Adds a message that nobody misses if the connection is closed.</summary>
    public void AddOrRelease(OutgoingMessage message)
    {
        if (!TryAdd(message))
        {
            message.Release();
        }
    }

    public void Execute() => _ = FlushAsync();

    /// <summary>Completes when everything that was added is written, or the outbox is closed.</summary>
    public Task WhenIdle()
    {
        lock (_gate)
        {
            if (!_flushing || _closed)
            {
                return Task.CompletedTask;
            }

            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    /// <summary>Takes no more, and releases what was not written. The stream is closed by now, so a write that runs ends soon.</summary>
    public async Task CloseAsync()
    {
        lock (_gate)
        {
            _closed = true;
            if (!_flushing)
            {
                _ended.TrySetResult();
            }
        }

        await _ended.Task.ConfigureAwait(false);
        foreach (var message in _queue.Concat(_large).Concat(_taken))
        {
            message.Release();
        }

        ReleaseDone();
        _current?.Release();
        _queue.Clear();
        _large.Clear();
        _taken.Clear();
        _current = null;
        _idle?.TrySetResult();
    }

    private async Task FlushAsync()
    {
        try
        {
            while (TryTake())
            {
                await WriteAsync().ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // Whatever it is, nothing more can be sent, and the connection must hear of it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failed(exception);
            _ended.TrySetResult();
        }
    }

    private async ValueTask WriteAsync()
    {
        await writer.WriteAsync().ConfigureAwait(false);

        // Who saw a full outbox while this was written waits for the very step that brings it below the limit.
        var released = ReleaseDone();
        var left = Interlocked.Add(ref _bytes, -released);
        if (left < limit && left + released >= limit)
        {
            Drained?.Invoke();
        }
    }

    /// <summary>Messages to be written next; false: there are none and flushing has ended.</summary>
    private bool TryTake()
    {
        lock (_gate)
        {
            if (_closed || (_queue.Count == 0 && _large.Count == 0 && _current is null))
            {
                _flushing = false;
                _idle?.TrySetResult();
                _idle = null;
                if (_closed)
                {
                    _ended.TrySetResult();
                }

                return false;
            }

            TakeFitting();
        }

        Fill();
        return true;
    }

    private void TakeFitting()
    {
        var room = MaxCopiedHead;
        while (_queue.TryPeek(out var next) && (next.HeadLength <= room || (_taken.Count == 0 && next.HeadLength > MaxCopiedHead)))
        {
            _taken.Add(_queue.Dequeue());
            room -= next.HeadLength;
        }
    }

    private void Fill()
    {
        foreach (var message in _taken)
        {
            // A caller that gave up before anything was sent needs nothing sent.
            if (message.Call is { HasEnded: true })
            {
                _done.Add(message);
                continue;
            }

            message.Call?.MarkBegun();
            if (message.HeadLength > MaxCopiedHead)
            {
                writer.AddInPlace(message.Head);
            }
            else
            {
                message.Head.Span.CopyTo(writer.Reserve(message.HeadLength));
            }

            if (message.HasChunks)
            {
                _large.Enqueue(message);
            }
            else
            {
                message.Call?.MarkSent();
                _done.Add(message);
            }
        }

        _taken.Clear();

        // Together no more than one chunk may be long, so that a small message that comes now waits no longer for them.
        while (writer.Room >= FrameHeader.Size && TryContinue() && writer.InPlace + _current.NextChunkLength <= WireLimits.MaxChunkLength)
        {
            AddChunk(_current);
        }
    }

    private void AddChunk(OutgoingMessage message)
    {
        var chunk = message.TakeChunk();
        _turnLeft -= chunk.Length;
        var isResponse = message.Header.Type == FrameType.Response;
        var header = new FrameHeader(chunk.Length, FrameType.Chunk, isResponse ? (byte)1 : (byte)0, 0, message.Header.Id);
        header.Write(writer.Reserve(FrameHeader.Size));
        writer.AddInPlace(chunk);
        if (!message.HasChunks)
        {
            message.Call?.MarkSent();
            _done.Add(message);
            _current = null;
        }
        else if (_turnLeft <= 0)
        {
            _large.Enqueue(message);
            _current = null;
        }
    }

    /// <summary>Makes sure of a large message to go on with; false: there is none.</summary>
    [MemberNotNullWhen(true, nameof(_current))]
    private bool TryContinue()
    {
        while (true)
        {
            if (_current is null)
            {
                if (!_large.TryDequeue(out _current))
                {
                    return false;
                }

                _turnLeft = TurnLength;
            }

            if (_current.Call is not { HasEnded: true })
            {
                return true;
            }

            // Its caller gave up: a cancel frame is in the queue, behind what was sent of it.
            _done.Add(_current);
            _current = null;
        }
    }

    private long ReleaseDone()
    {
        var released = 0L;
        foreach (var message in _done)
        {
            released += message.Bytes;
            message.Release();
        }

        _done.Clear();
        return released;
    }
}
