using System.Net.Sockets;

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
    private readonly NetworkStream _stream;
    private readonly FrameReader _reader;
    private readonly Outbox _outbox;
    private readonly PartialMessages _partials;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastReceived;
    private string? _closeReason;
    private volatile bool _closing;

    public Connection(MessagingContext context, NetworkStream stream, SiloAddress remote, PeerRole role)
    {
        _context = context;
        _stream = stream;
        Remote = remote;
        Role = role;
        _lastReceived = context.Time.GetTimestamp();
        _reader = new FrameReader(stream, () => Volatile.Write(ref _lastReceived, context.Time.GetTimestamp()));
        var maxMessageBytes = context.Options.MaxMessageBytes;
        _partials = new PartialMessages(_reader, maxMessageBytes, 2 * (context.Options.MaxQueuedBytes + maxMessageBytes));
        _outbox = new Outbox(new FrameWriter(stream), context.Options.MaxQueuedBytes, OnWriteFailed);
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

    /// <summary>How it ended; valid once it has.</summary>
    public CloseCause Cause { get; private set; }

    public string Reason => _closeReason ?? "closed by the other end";

    public bool IsUsable => !_closing && !IsGoodbyeSaid;

    /// <summary>Bytes that wait to be written.</summary>
    public long QueuedBytes => _outbox.Bytes;

    public Task Ended => _ended.Task;

    /// <summary>What the process does for it.</summary>
    public required ConnectionHandlers Handlers { get; init; }

    /// <summary>Runs the connection to its end. Does not throw.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ReadFramesAsync().ConfigureAwait(false);
            Abort(IsGoodbyeSaid ? "the other end has stopped" : "closed by the other end", IsGoodbyeSaid ? CloseCause.Orderly : CloseCause.Lost);
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            Abort(exception.Message, CloseCause.Lost);
        }
        catch (WireFormatException exception)
        {
            Abort($"the other end broke the protocol: {exception.Message}", CloseCause.GivenUp);
        }
#pragma warning disable CA1031 // Whatever it is, the calls of this connection must end.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.ConnectionFailed(_context.Logger, Remote, exception);
            _context.Metrics.Failed();
            Abort(exception.Message, CloseCause.GivenUp);
        }

        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>Closes it from this end. What is pending fails.</summary>
    public void Abort(string reason, CloseCause cause)
    {
        if (Interlocked.CompareExchange(ref _closeReason, reason, null) is null)
        {
            Cause = cause;
            _closing = true;
            _stream.Dispose();
        }
    }

    /// <summary>Says goodbye, answers what is running here, and closes.</summary>
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

        Abort("this process stops", CloseCause.Orderly);
        await Ended.ConfigureAwait(false);
    }

    /// <summary>Asks for a sign of life after some silence, and gives up after more if it may.</summary>
    public void KeepAlive(bool mayGiveUp)
    {
        var silence = _context.Time.GetElapsedTime(Volatile.Read(ref _lastReceived));
        if (silence >= _context.Options.KeepAliveTimeout && mayGiveUp)
        {
            Abort($"no sign of life for {silence.TotalSeconds:0.0} s", CloseCause.GivenUp);
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
                await _partials.ReceiveChunkAsync(header).ConfigureAwait(false);
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
                _partials.Abandon(header.Id, isResponse: false);
                Incoming.Cancel(header.Id);
                break;
            case FrameType.Probe:
                Signal(FrameType.ProbeAnswer, header.Id);
                break;
            case FrameType.ProbeAnswer:
                Probes.Answered(header.Id, (ProbeOutcome)header.Flag);
                break;
            case FrameType.ProbeRequest:
                ReceiveProbeRequest(header, body);
                break;
            case FrameType.Goodbye:
                IsGoodbyeSaid = true;
                break;
        }
    }

    private void ReceiveCall(FrameHeader header, ReadOnlySpan<byte> body)
    {
        var segments = _partials.Parse(header, body);
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
        _partials.Add(header.Id, isResponse: false, new PartialMessage(
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
        if (outgoing is { WasBegun: false })
        {
            throw new WireFormatException("a call was answered before it was sent");
        }

        var segments = _partials.Parse(header, body);
        var response = outgoing is null ? null : new IncomingResponse(Outgoing, outgoing, segments, _context.Exceptions, Handlers.Redirected);
        response?.Read((ResponseKind)header.Flag, body);
        if (segments is { HasChunks: true })
        {
            _partials.Add(header.Id, isResponse: true, new PartialMessage(segments, () => response?.Complete(), () => response?.Abandon()));
        }
        else
        {
            response?.Complete();
        }
    }

    private void ReceiveProbeRequest(FrameHeader header, ReadOnlySpan<byte> body)
    {
        var (target, timeout) = ProbeFormat.ReadRequest(body);
        _ = ProbeOtherAsync(header.Id, target, timeout);
    }

    private async Task ProbeOtherAsync(ulong id, SiloAddress target, TimeSpan timeout)
    {
        var outcome = await Handlers.ProbeOther(target, timeout).ConfigureAwait(false);
        _outbox.AddOrRelease(OutgoingMessage.Signal(FrameType.ProbeAnswer, id, (byte)outcome));
    }

    private void Signal(FrameType type, ulong id) => _outbox.AddOrRelease(OutgoingMessage.Signal(type, id));

    private void OnWriteFailed(Exception exception) => Abort(exception.Message, CloseCause.Lost);

    private async Task CloseAsync()
    {
        await _outbox.CloseAsync().ConfigureAwait(false);
        _partials.AbandonAll();

        _reader.Dispose();
        Outgoing.Close(Reason);
        Incoming.Close();
        Probes.Close();
        _ended.TrySetResult();
    }
}
