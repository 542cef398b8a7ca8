using System.Globalization;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>
/// One call of a grain method: arguments, target and the promise to the caller. The generator derives a class per method.
/// <para>
/// A call that ends synchronously has no promise: the grain's own task is the caller's. Any other gets one, because it can
/// end without the grain, by cancellation or time-out; from then on it is in <see cref="PendingCalls"/>.
/// </para>
/// </summary>
#pragma warning disable CA1001 // A cancellation source without a timer holds nothing that needs disposal.
public abstract class GrainCall : GrainRequest
#pragma warning restore CA1001
{
    private GrainReference? _reference;
    private CancellationTokenSource? _calleeCancellation;
    private CancellationToken _callersToken;
    private CancellationTokenRegistration _registration;
    private ExecutionContext? _callersLocals;
    private Activation? _activation;
    private ICallObserver? _observer;

    private protected GrainCall()
    {
    }

    /// <summary>The method that is called.</summary>
    public abstract GrainMethod Method { get; }

    /// <summary>The reference that the call was made on.</summary>
    public GrainReference Reference => _reference!;

    /// <summary>The grain that is called.</summary>
    public GrainId Target => _reference!.GrainId;

    /// <summary>What the grain method gets as its token: cancelled by the caller and by the time-out.</summary>
    protected CancellationToken CancellationToken => _calleeCancellation?.Token ?? default;

    // The list entry in PendingCalls.
    internal GrainCall? NextPending { get; set; }

    internal GrainCall? PreviousPending { get; set; }

    internal int PendingShard { get; set; } = -1;

    internal long Deadline { get; set; }

    /// <summary>What is left of the time of a caller in another process; null: the method's own time-out.</summary>
    internal TimeSpan? TimeLeft { get; private set; }

    /// <summary>How often the call was sent to a silo that turned out wrong.</summary>
    internal int Redirects { get; set; }

    /// <summary>Set on a call that came from another process.</summary>
    internal IncomingCall? Incoming => _observer as IncomingCall;

    /// <summary>The promise's task. Only for calls that have one.</summary>
    internal abstract Task Outcome { get; }

    internal override bool Interleaves => Method.AlwaysInterleave;

    internal override bool KeepsAlive => true;

    private protected abstract bool HasPromise { get; }

    /// <summary>Writes the arguments, save for the token.</summary>
    public abstract void WriteArguments(WireWriter writer);

    /// <summary>Reads the arguments.</summary>
    public abstract void ReadArguments(ref WireReader reader);

    /// <summary>Writes what the grain answered; only after it has, and without exception.</summary>
    internal abstract void WriteResult(WireWriter writer);

    /// <summary>The grain has answered, and not by an exception.</summary>
    internal abstract bool HasResult { get; }

    /// <summary>Reads the answer of a grain in another process, for <see cref="TrySetFromRemote"/>.</summary>
    internal abstract void ReadResult(ref WireReader reader);

    /// <summary>Ends the call with what <see cref="ReadResult"/> read; false: it had ended before, and nobody has the result.</summary>
    internal bool TryEndFromRemote()
    {
        var ended = TrySetFromRemote();
        if (ended)
        {
            Leave();
        }

        return ended;
    }

    internal void Bind(GrainReference reference) => _reference = reference;

    /// <summary>Makes this a call of a process elsewhere.</summary>
    internal void BindIncoming(GrainReference reference, IncomingCall incoming, TimeSpan timeLeft)
    {
        _reference = reference;
        _calleeCancellation = new CancellationTokenSource();
        _observer = incoming;
        TimeLeft = timeLeft;
        BecomePending();
    }

    /// <summary>Tells the network's side of the call, in place of the one before, when the call ends; at once if it has.</summary>
    internal void Observe(ICallObserver? observer)
    {
        Volatile.Write(ref _observer, observer);
        Interlocked.MemoryBarrier();
        if (IsAbandoned)
        {
            observer?.OnSettled(this);
        }
    }

    /// <summary>Ends a call for a caller in another process that has gone.</summary>
    internal void CancelIncoming()
    {
        if (TrySetCanceled(new CancellationToken(canceled: true)))
        {
            Leave();
        }

        CancelCallee();
    }

    internal void Bind(GrainReference reference, CancellationToken callersToken)
    {
        _reference = reference;
        _calleeCancellation = new CancellationTokenSource();
        if (callersToken.CanBeCanceled)
        {
            _callersToken = callersToken;
            _registration = callersToken.UnsafeRegister(static call => ((GrainCall)call!).CancelByCaller(), this);
        }
    }

    /// <summary>Gives the call its promise, before anybody else can see the call.</summary>
    internal void BecomePending()
    {
        if (HasPromise)
        {
            return;
        }

        // Listed first: whoever settles the promise takes the call off the list.
        Reference.Runtime.Pending.Add(this);
        CreatePromise();

        // The token's callback may have run before there was a promise to cancel.
        Interlocked.MemoryBarrier();
        if (_callersToken.IsCancellationRequested)
        {
            CancelByCaller();
        }
    }

    /// <summary>The call will start in another turn: it takes the caller's async-local values along.</summary>
    internal override void Park()
    {
        if (!HasPromise)
        {
            _callersLocals = ExecutionContext.Capture();
            BecomePending();
        }
    }

    private protected void RestoreCallersLocals()
    {
        if (_callersLocals is not null)
        {
            ExecutionContext.Restore(_callersLocals);
            _callersLocals = null;
        }
    }

    internal override void Reroute() => Reference.Runtime.Router.Route(this);

    internal override void Fail(Exception exception)
    {
        BecomePending();
        if (TrySetException(exception))
        {
            Leave();
        }
    }

    /// <summary>Ends the call because nobody answered within its time.</summary>
    internal void TimeOut(TimeSpan timeout)
    {
        var error = new TimeoutException(
            string.Create(CultureInfo.InvariantCulture, $"{Target}: {Method} did not answer within {timeout.TotalSeconds:0.###} s"));
        if (!HasPromise || !TrySetException(error))
        {
            return;
        }

        Leave();
        Reference.Runtime.Metrics.CallTimedOut(Target.Type);

        CancelCallee();
    }

    private void CancelByCaller()
    {
        if (HasPromise && TrySetCanceled(_callersToken))
        {
            Leave();
        }

        CancelCallee();
    }

    // Callbacks are the grain's code: they run on the pool, not on the thread that cancels, sweeps or runs a turn.
    private void CancelCallee() => _ = _calleeCancellation?.CancelAsync();

    private protected abstract void CreatePromise();

    private protected abstract bool TrySetException(Exception exception);

    private protected abstract bool TrySetCanceled(CancellationToken token);

    private protected abstract bool TrySetFromRemote();

    /// <summary>Hands the grain's task to the promise.</summary>
    private protected abstract bool TrySetFromGrain();

    /// <summary>False: its caller in another process has gone, and its arguments with it.</summary>
    private protected bool MayStart => _observer is not IncomingCall incoming || incoming.TryStart();

    /// <summary>The grain answered synchronously.</summary>
    private protected void EndedSynchronously()
    {
        if (HasPromise)
        {
            TakeAnswer();
        }
        else
        {
            _registration.Unregister();
        }
    }

    private void TakeAnswer()
    {
        var delivered = TrySetFromGrain();
        if (delivered)
        {
            Leave();
        }

        (_observer as IncomingCall)?.OnMethodEnded(this, delivered);
    }

    /// <summary>The grain will answer later: the caller needs a promise, and the activation hears of the end.</summary>
    private protected void Continue(Activation activation)
    {
        _activation = activation;
        BecomePending();
    }

    /// <summary>Runs in a turn of the activation: the awaiter was given the turn's synchronization context.</summary>
    private protected void OnGrainAnswered()
    {
        TakeAnswer();
        _activation!.OnRequestEnded(this);
    }

    private void Leave()
    {
        Reference.Runtime.Pending.Remove(this);
        _registration.Unregister();
        Volatile.Read(ref _observer)?.OnSettled(this);
    }
}
