using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// A call from another process while it is here. Owns the payloads of its arguments: they are disposed when the method has ended,
/// which may be after the caller has its answer, or at once if it never starts.
/// <para>
/// While payloads arrive, the connection writes into their memory: then only its reading thread may dispose them, through
/// <see cref="TryFinishArriving"/> or <see cref="StopArriving"/>.
/// </para>
/// </summary>
internal sealed class IncomingCall(IncomingCalls calls, ulong id, bool mayPlace, IncomingSegments? arguments, bool arrivesInChunks) : ICallObserver
{
    private const int Arriving = 0;
    private const int SettledWhileArriving = 1;
    private const int Waiting = 2;
    private const int Started = 3;
    private const int Over = 4;

    private int _released;
    private int _dropped;
    private int _state = arrivesInChunks ? Arriving : Waiting;

    public ulong Id { get; } = id;

    /// <summary>Where the grain is active nowhere, this silo chooses its place.</summary>
    public bool MayPlace { get; } = mayPlace;

    public IncomingSegments? Arguments { get; } = arguments;

    /// <summary>The method is about to run; false: it must not, because its arguments are gone.</summary>
    public bool TryStart() => Interlocked.CompareExchange(ref _state, Started, Waiting) == Waiting;

    /// <summary>The last chunk is there; false: the call has ended meanwhile.</summary>
    public bool TryFinishArriving()
    {
        var arrived = Interlocked.CompareExchange(ref _state, Waiting, Arriving) == Arriving;
        if (!arrived)
        {
            StopArriving();
        }

        return arrived;
    }

    /// <summary>No further chunk comes.</summary>
    public void StopArriving()
    {
        Interlocked.Exchange(ref _state, Over);
        ReleaseArguments();
    }

    public void OnSettled(GrainCall call)
    {
        var whileArriving = Interlocked.CompareExchange(ref _state, SettledWhileArriving, Arriving) == Arriving;
        var whileWaiting = Interlocked.CompareExchange(ref _state, Over, Waiting) == Waiting;
        calls.Respond(this, call, ran: !whileArriving && !whileWaiting);
        if (whileWaiting)
        {
            ReleaseArguments();
        }
    }

    /// <summary>The method has returned.</summary>
    /// <param name="delivered">False: the call had ended before, so nobody has the result.</param>
    public void OnMethodEnded(GrainCall call, bool delivered)
    {
        if (!delivered)
        {
            IncomingCalls.Drop(this, call);
        }

        ReleaseArguments();
    }

    /// <summary>True for the first who asks: a caller may go while the finished method waits for its turn to say so, and then both find the result unwanted.</summary>
    public bool TryDropResult() => Interlocked.Exchange(ref _dropped, 1) == 0;

    private void ReleaseArguments()
    {
        Arguments?.DisposePayloads();
        if (Arguments is not null && Interlocked.Exchange(ref _released, 1) == 0)
        {
            calls.NoteReleased(Arguments.TotalBytes);
        }
    }
}
