using System.Net.Sockets;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// One connection that has shaken hands. Both ends call over it, as many calls at a time as they like, answered in any order.
/// <list type="number">
/// <item>One loop reads frames. A call's arguments are read with its frame, which rents memory for its payloads; the chunks that
/// follow are received straight into it. The call runs, on the thread pool, when it is complete.</item>
/// <item>The <see cref="Outbox"/> writes.</item>
/// <item>Whichever fails first closes the socket, which ends the other. Only when both have ended are payloads given back and
/// pending calls failed: nobody then reads or writes memory that somebody else owns.</item>
/// </list>
/// </summary>
internal sealed class Connection : IDisposable
{
    private readonly MessagingContext _context;
    private readonly Stream _stream;
    private readonly FrameReader _reader;
    private readonly Outbox _outbox;
    private readonly Dictionary<(ulong Id, bool IsResponse), PartialMessage> _partials = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastReceived;
    private long _incompleteBytes;
    private string? _closeReason;
    private volatile bool _closing;

    public Connection(MessagingContext context, Stream stream, SiloAddress remote, PeerRole role)
    {
        _context = context;
        _stream = stream;
        Remote = remote;
        Role = role;
        _lastReceived = context.Time.GetTimestamp();
        _reader = new FrameReader(stream, () => Volatile.Write(ref _lastReceived, context.Time.GetTimestamp()));
        _outbox = new Outbox(stream, context.Options.MaxQueuedBytes, OnWriteFailed);
        Outgoing = new OutgoingCalls(context, _outbox, remote);
        Incoming = new IncomingCalls(context, _outbox);
        Probes = new Probes(_outbox, context.Time);
        _outbox.Drained = () => ThreadPool.UnsafeQueueUserWorkItem(static calls => calls.SendWaiting(), Outgoing, preferLocal: false);
    }

    public SiloAddress Remote { get; }

    public PeerRole Role { get; }

    public OutgoingCalls Outgoing { get; }

    public IncomingCalls Incoming { get; }

    public Probes Probes { get; }

    /// <summary>The other end takes no more calls.</summary>
    public bool IsGoodbyeSaid { get; private set; }

    /// <summary>Why it was closed by this end; null: by the other.</summary>
    public ConnectionLossKind? LossKind { get; private set; } = ConnectionLossKind.Broken;

    public string Reason => _closeReason ?? "closed by the other end";

    public bool IsUsable => !_closing && !IsGoodbyeSaid;

    public Task Ended => _ended.Task;

    /// <summary>Where a redirected call goes.</summary>
    public required Action<GrainCall, GrainAddress> Redirected { get; init; }

    /// <summary>Runs the connection to its end. Does not throw.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ReadFramesAsync().ConfigureAwait(false);
            Abort(IsGoodbyeSaid ? "the other end has stopped" : "closed by the other end", IsGoodbyeSaid ? null : ConnectionLossKind.Broken);
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            Abort(exception.Message, ConnectionLossKind.Broken);
        }
        catch (WireFormatException exception)
        {
            Abort($"the other end broke the protocol: {exception.Message}", ConnectionLossKind.Broken);
        }
#pragma warning disable CA1031 // Whatever it is, the calls of this connection must end.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.ConnectionFailed(_context.Logger, Remote, exception);
            _context.Metrics.Failed();
            Abort(exception.Message, ConnectionLossKind.Broken);
        }

        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>Closes it from this end. What is pending fails.</summary>
    public void Abort(string reason, ConnectionLossKind? kind)
    {
        if (Interlocked.CompareExchange(ref _closeReason, reason, null) is null)
        {
            LossKind = kind;
            _closing = true;
            _stream.Dispose();
        }
    }

    /// <summary>Says goodbye, answers what is running here, waits for the answers from there, and closes.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Incoming.IsStopping = true;
        Signal(FrameType.Goodbye, 0);
        try
        {
            await Incoming.WhenDrained().WaitAsync(cancellationToken).ConfigureAwait(false);
            await _outbox.WhenIdle().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Who still waits over there hears from the closed connection.
        }

        Abort("this process stops", null);
        await Ended.ConfigureAwait(false);
    }

    /// <summary>Asks for a sign of life after some silence, and gives up after more.</summary>
    public void KeepAlive()
    {
        var silence = _context.Time.GetElapsedTime(Volatile.Read(ref _lastReceived));
        if (silence >= _context.Options.KeepAliveTimeout)
        {
            Abort($"no sign of life for {silence.TotalSeconds:0.0} s", ConnectionLossKind.Silent);
        }
        else if (silence >= _context.Options.KeepAliveInterval)
        {
            Signal(FrameType.Probe, 0);
        }
    }

    public void Dispose() => _stream.Dispose();

    private async Task ReadFramesAsync()
    {
        while (await _reader.ReadHeaderAsync().ConfigureAwait(false) is { } header)
        {
            if (header.Type == FrameType.Chunk)
            {
                await ReadChunkAsync(header).ConfigureAwait(false);
                continue;
            }

            var body = await _reader.ReadBodyAsync(header.Length).ConfigureAwait(false);
            Receive(header, body.Span);
        }
    }

    private void Receive(FrameHeader header, ReadOnlySpan<byte> body)
    {
        switch (header.Type)
        {
            case FrameType.Call:
                ReceiveCall(header, body);
                break;
            case FrameType.Response:
                ReceiveResponse(header, body);
                break;
            case FrameType.Cancel:
                RemovePartial((header.Id, false));
                Incoming.Cancel(header.Id);
                break;
            case FrameType.Probe:
                Signal(FrameType.ProbeAnswer, header.Id);
                break;
            case FrameType.ProbeAnswer:
                Probes.Answered(header.Id);
                break;
            case FrameType.Goodbye:
                IsGoodbyeSaid = true;
                break;
        }
    }

    private void ReceiveCall(FrameHeader header, ReadOnlySpan<byte> body)
    {
        var segments = ParseSegments(header, body);
        var call = Incoming.Read(header, body, segments);
        if (segments is not { HasChunks: true })
        {
            if (call is not null)
            {
                Incoming.Start(call);
            }

            return;
        }

        var incoming = call?.Incoming;
        AddPartial((header.Id, false), new PartialMessage(
            segments,
            () =>
            {
                if (incoming is not null && incoming.TryFinishArriving())
                {
                    Incoming.Start(call!);
                }
            },
            () => incoming?.StopArriving()));
    }

    private void ReceiveResponse(FrameHeader header, ReadOnlySpan<byte> body)
    {
        var outgoing = Outgoing.Find(header.Id);
        var segments = ParseSegments(header, body);
        if (outgoing is { WasSent: false })
        {
            throw new WireFormatException("a call was answered before it was sent");
        }

        var response = outgoing is null ? null : new IncomingResponse(this, outgoing, segments);
        response?.Read((ResponseKind)header.Flag, body);
        if (segments is { HasChunks: true })
        {
            AddPartial((header.Id, true), new PartialMessage(segments, () => response?.Complete(), segments.DisposePayloads));
        }
        else
        {
            response?.Complete();
        }
    }

    private async ValueTask ReadChunkAsync(FrameHeader header)
    {
        var key = (header.Id, header.Flag == 1);
        if (!_partials.TryGetValue(key, out var partial))
        {
            throw new WireFormatException($"a chunk belongs to no message (number {header.Id})");
        }

        var target = partial.Advance(header.Length);
        if (target.IsEmpty)
        {
            await _reader.SkipAsync(header.Length).ConfigureAwait(false);
        }
        else
        {
            await _reader.ReadExactlyAsync(target).ConfigureAwait(false);
        }

        if (partial.IsComplete)
        {
            _partials.Remove(key);
            _incompleteBytes -= partial.Segments.ChunkedBytes;
            partial.Complete();
        }
    }

    private IncomingSegments? ParseSegments(FrameHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Segments == 0)
        {
            return null;
        }

        var segments = IncomingSegments.Parse(body, header.Segments, _context.Options.MaxMessageBytes);
        var limit = 2 * (_context.Options.MaxQueuedBytes + _context.Options.MaxMessageBytes);
        return _incompleteBytes + segments.ChunkedBytes <= limit
            ? segments
            : throw new WireFormatException($"more than {limit} bytes of payloads were announced and have not come");
    }

    private void AddPartial((ulong Id, bool IsResponse) key, PartialMessage partial)
    {
        if (!_partials.TryAdd(key, partial))
        {
            partial.Abandon();
            throw new WireFormatException($"message {key.Id} came twice");
        }

        _incompleteBytes += partial.Segments.ChunkedBytes;
    }

    private void RemovePartial((ulong Id, bool IsResponse) key)
    {
        if (_partials.Remove(key, out var partial))
        {
            _incompleteBytes -= partial.Segments.ChunkedBytes;
            partial.Abandon();
        }
    }

    private void Signal(FrameType type, ulong id)
    {
        var message = OutgoingMessage.Signal(type, id);
        if (!_outbox.TryAdd(message))
        {
            message.Release();
        }
    }

    private void OnWriteFailed(Exception exception) => Abort(exception.Message, ConnectionLossKind.Broken);

    private async Task CloseAsync()
    {
        await _outbox.CloseAsync().ConfigureAwait(false);
        foreach (var key in _partials.Keys.ToArray())
        {
            RemovePartial(key);
        }

        _reader.Dispose();
        Outgoing.Close(Reason);
        Incoming.Close();
        Probes.Close(Reason);
        _ended.TrySetResult();
    }

    /// <summary>An answer that arrives; read on the connection's reading thread.</summary>
    private sealed class IncomingResponse(Connection connection, OutgoingCall outgoing, IncomingSegments? segments)
    {
        private Exception? _error;
        private GrainAddress? _redirect;

        public void Read(ResponseKind kind, ReadOnlySpan<byte> body)
        {
            var reader = new WireReader(body, segments?.BodyLength ?? body.Length, segments);
            try
            {
                switch (kind)
                {
                    case ResponseKind.Result:
                        outgoing.Call.ReadResult(ref reader);
                        break;
                    case ResponseKind.Redirect:
                        _redirect = MessageFormat.ReadRedirect(ref reader, outgoing.Call.Target);
                        break;
                    default:
                        _error = connection._context.Exceptions.Read(ref reader);
                        break;
                }
            }
#pragma warning disable CA1031 // Constructors of result types are anybody's code, and whatever they refuse is the caller's.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _error = new WireFormatException($"the answer to {outgoing.Call.Method} cannot be read: {exception.Message}", exception);
            }
        }

        public void Complete()
        {
            var isWanted = connection.Outgoing.TryRemove(outgoing);
            if (isWanted && _redirect is null && _error is null && outgoing.Call.TryEndFromRemote())
            {
                return;
            }

            segments?.DisposePayloads();
            if (isWanted && _redirect is not null)
            {
                connection.Redirected(outgoing.Call, _redirect);
            }
            else if (isWanted && _error is not null)
            {
                outgoing.Call.Fail(_error);
            }
        }
    }
}
