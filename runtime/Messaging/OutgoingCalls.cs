using System.Diagnostics.CodeAnalysis;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>The calls from here that one connection carries: those that wait for an answer, and those that wait to be sent.</summary>
internal sealed class OutgoingCalls(MessagingContext context, Outbox outbox, SiloAddress silo)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, OutgoingCall> _sent = [];
    private readonly Queue<GrainCall> _waiting = new();
    private ulong _lastId;
    private bool _closed;
    private string _reason = "";

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _sent.Count + _waiting.Count;
            }
        }
    }

    /// <summary>Sends a call now, or when there is room: a call that waits holds no bytes, and its own time-out ends it.</summary>
    public void Send(GrainCall call)
    {
        if (!outbox.IsFull)
        {
            Transmit(call);
            return;
        }

        bool closed;
        lock (_gate)
        {
            closed = _closed;
            if (!closed)
            {
                _waiting.Enqueue(call);
            }
        }

        if (closed)
        {
            FailUnsent(call);
        }
        else
        {
            SendWaiting();
        }
    }

    /// <summary>Sends what had to wait, as far as there is room.</summary>
    public void SendWaiting()
    {
        while (!outbox.IsFull && TryTakeWaiting(out var call))
        {
            if (!call.IsAbandoned)
            {
                Transmit(call);
            }
        }
    }

    public OutgoingCall? Find(ulong id)
    {
        lock (_gate)
        {
            return _sent.GetValueOrDefault(id);
        }
    }

    /// <summary>The answer is there, or the caller has gone: whoever takes the call off the list goes on with it.</summary>
    public bool TryRemove(OutgoingCall call)
    {
        lock (_gate)
        {
            return _sent.Remove(call.Id);
        }
    }

    public void OnCallerGone(OutgoingCall outgoing)
    {
        // Also one that was answered before all of it was sent: what follows of it is not sent.
        if (TryRemove(outgoing) || !outgoing.WasSent)
        {
            outbox.AddOrRelease(OutgoingMessage.Signal(FrameType.Cancel, outgoing.Id));
        }
    }

    /// <summary>The grain's answer shows where it is, if nobody has told.</summary>
    public void NoteAnswered(OutgoingCall outgoing)
    {
        if (outgoing.MayPlace || outgoing.Call.Redirects > 0)
        {
            context.Runtime.Locator.LearnIfUnknown(outgoing.Call.Target, silo);
        }
    }

    /// <summary>The silo does not run it: the next call looks where the grain is by then.</summary>
    public void NoteRefused(OutgoingCall outgoing) => context.Runtime.Locator.Forget(outgoing.Call.Target, silo);

    /// <summary>Fails every call. The connection sends nothing any more by now.</summary>
    public void Close(string reason)
    {
        OutgoingCall[] sent;
        GrainCall[] waiting;
        lock (_gate)
        {
            _reason = reason;
            _closed = true;
            sent = [.. _sent.Values];
            waiting = [.. _waiting];
            _sent.Clear();
            _waiting.Clear();
        }

        foreach (var outgoing in sent)
        {
            Fail(outgoing.Call, outgoing.WasSent);
        }

        foreach (var call in waiting)
        {
            FailUnsent(call);
        }
    }

    private void Transmit(GrainCall call)
    {
        // Only a process that hosts the class has the director that places it.
        var mayPlace = call.Redirects == 0 && context.Runtime.Manifest.FindClass(call.Target.Type) is null;
        OutgoingCall outgoing;
        bool closed;
        lock (_gate)
        {
            closed = _closed;
            outgoing = new OutgoingCall(this, ++_lastId, call) { MayPlace = mayPlace };
            if (!closed)
            {
                _sent.Add(outgoing.Id, outgoing);
            }
        }

        if (closed)
        {
            FailUnsent(call);
            return;
        }

        call.Observe(outgoing);
        Encode(outgoing);
    }

    private void Encode(OutgoingCall outgoing)
    {
        try
        {
            var message = MessageFormat.WriteCall(outgoing, context.Runtime.Pending.TimeLeft(outgoing.Call), outgoing.MayPlace, context.Options.MaxMessageBytes);

            // If the connection is closing, Close fails the call.
            outbox.AddOrRelease(message);
        }
#pragma warning disable CA1031 // Getters of argument types are anybody's code, and whatever fails is the caller's.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (TryRemove(outgoing))
            {
                outgoing.Call.Fail(exception);
            }
        }
    }

    private bool TryTakeWaiting([NotNullWhen(true)] out GrainCall? call)
    {
        lock (_gate)
        {
            return _waiting.TryDequeue(out call);
        }
    }

    private void FailUnsent(GrainCall call) => Fail(call, mayHaveRun: false);

    private void Fail(GrainCall call, bool mayHaveRun)
    {
        context.Runtime.Locator.Forget(call.Target, silo);
        var fate = mayHaveRun ? "was sent and may have run" : "was not sent";
        call.Fail(new SiloUnavailableException($"{call.Target}: {call.Method} {fate}: {_reason}") { MayHaveRun = mayHaveRun });
    }
}
