using System.Collections.Concurrent;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>The calls from the other end of one connection.</summary>
internal sealed class IncomingCalls(MessagingContext context, Outbox outbox)
{
    private readonly ConcurrentDictionary<ulong, GrainCall> _running = new();
    private TaskCompletionSource? _drained;
    private long _heldBytes;

    public int Count => _running.Count;

    /// <summary>Refuses calls from now on.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Reads a call; what is wrong with it is answered. Null: it was answered already.</summary>
    /// <exception cref="WireFormatException">The frame itself makes no sense: the connection is of no use.</exception>
    public GrainCall? Read(FrameHeader header, ReadOnlySpan<byte> body, IncomingSegments? segments)
    {
        var reader = new WireReader(body, segments?.BodyLength ?? body.Length, segments);
        var preamble = MessageFormat.ReadCall(ref reader);
        var error = RefusalOf(preamble, segments);
        if (error is null)
        {
            try
            {
                var call = context.Runtime.Manifest.FindMethod(preamble.Method)!.CreateCall();
                call.ReadArguments(ref reader);
                var incoming = new IncomingCall(this, header.Id, preamble.MayPlace, segments, segments is { HasChunks: true });
                Accept(call, incoming, preamble);
                return call;
            }
#pragma warning disable CA1031 // Constructors of argument types are anybody's code, and whatever they refuse is the caller's.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                error = exception is WireFormatException ? exception : new WireFormatException($"an argument is refused: {exception.Message}", exception);
            }
        }

        segments?.DisposePayloads();
        outbox.AddOrRelease(MessageFormat.WriteFailure(header.Id, error, ran: false, context.Exceptions));
        return null;
    }

    /// <summary>Its arguments are complete: the call may run.</summary>
    public void Start(GrainCall call) => context.Runtime.Router.Route(call);

    /// <summary>The caller has gone.</summary>
    public void Cancel(ulong id)
    {
        if (_running.TryRemove(id, out var call))
        {
            NoteRemoved();
            call.CancelIncoming();
        }
    }

    /// <param name="ran">False: the grain has not begun to run it.</param>
    public void Respond(IncomingCall incoming, GrainCall call, bool ran)
    {
        if (!_running.TryRemove(incoming.Id, out _))
        {
            Drop(incoming, call);
            return;
        }

        outbox.AddOrRelease(MessageFormat.WriteOutcome(incoming.Id, call, ran, incoming.Arguments, context.Exceptions, context.Options.MaxMessageBytes));
        NoteRemoved();
    }

    /// <summary>The arguments of a call are given back.</summary>
    public void NoteReleased(long bytes) => Interlocked.Add(ref _heldBytes, -bytes);

    /// <summary>Disposes a result that nobody waits for.</summary>
    public static void Drop(IncomingCall incoming, GrainCall call)
    {
        if (call.HasResult && incoming.TryDropResult())
        {
            MessageFormat.DropResult(call, incoming.Arguments);
        }
    }

    /// <summary>The connection is gone, and with it whoever waits for these calls.</summary>
    public void Close()
    {
        foreach (var id in _running.Keys)
        {
            Cancel(id);
        }
    }

    /// <summary>Completes when no call from over there is left.</summary>
    public Task WhenDrained()
    {
        Interlocked.CompareExchange(ref _drained, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);
        NoteRemoved();
        return _drained.Task;
    }

    private void Accept(GrainCall call, IncomingCall incoming, CallPreamble preamble)
    {
        if (!_running.TryAdd(incoming.Id, call))
        {
            throw new WireFormatException($"call {incoming.Id} came twice");
        }

        Interlocked.Add(ref _heldBytes, incoming.Arguments?.TotalBytes ?? 0);
        var reference = new GrainReference(new GrainReferenceSeed(context.Runtime, preamble.Target));
        call.BindIncoming(reference, incoming, preamble.TimeLeft);
    }

    private Exception? RefusalOf(CallPreamble preamble, IncomingSegments? segments)
    {
        var holdsTooMuch = segments is not null && Volatile.Read(ref _heldBytes) + segments.TotalBytes > context.Options.MaxHeldBytes;
        if (IsStopping || outbox.IsFull || holdsTooMuch)
        {
            var why = IsStopping ? "is stopping"
                : holdsTooMuch ? $"holds {context.Options.MaxHeldBytes} bytes for calls of this connection already"
                : "has too many answers waiting to be sent on this connection";
            return new SiloUnavailableException($"{preamble.Target}: silo {context.Runtime.Silo.SiloAddress} {why}");
        }

        return context.Runtime.Manifest.FindMethod(preamble.Method) is null
            ? new WireFormatException($"{preamble.Target}: this silo knows no interface with the method that was called (number {preamble.Method:x16})")
            : null;
    }

    private void NoteRemoved()
    {
        if (_drained is { } drained && _running.IsEmpty)
        {
            drained.TrySetResult();
        }
    }
}
