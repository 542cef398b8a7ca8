using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// One activation of a grain: takes requests, runs them in turns, and moves from being brought up over valid to ended.
/// Its fields change in its own turns only, but for <see cref="_ending"/>; other threads read them as hints.
/// <para>
/// A request that arrives before the activation is valid waits. One that arrives while it ends waits for the end and is then
/// routed anew, so that the next activation starts when this one has released everything. But the end waits for what runs, which
/// may itself wait for a call that interleaves with it: that one starts.
/// </para>
/// </summary>
internal sealed class Activation : IGrainContext
{
    private readonly RequestQueue _requests;
    private readonly ActivationLifecycle _lifecycle;
    private readonly TaskCompletionSource _deactivated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ActivationState _state;
    private Ending? _ending;
    private bool _pumpPosted;
    private long _lastUsed;
    private long _keepUntil;

    public Activation(ActorRuntime runtime, GrainClass grainClass, GrainAddress address)
    {
        Runtime = runtime;
        Class = grainClass;
        Address = address;
        Turns = new TurnQueue(this);
        Timers = new GrainTimers(this);
        _requests = new RequestQueue(grainClass.IsReentrant);
        _lifecycle = new ActivationLifecycle(this);
        _lastUsed = runtime.Clock.Now;
    }

    public ActorRuntime Runtime { get; }

    public GrainClass Class { get; }

    /// <summary>With its load epoch once it is registered.</summary>
    public GrainAddress Address { get; set; }

    public TurnQueue Turns { get; }

    public GrainTimers Timers { get; }

    public GrainId GrainId => Address.GrainId;

    public ActivationId ActivationId => Address.ActivationId;

    public GrainReference GrainReference => new(new GrainReferenceSeed(Runtime, GrainId));

    public object? GrainInstance => _lifecycle.Instance;

    /// <summary>The grain object, for requests, which run only while there is one.</summary>
    public object Instance => _lifecycle.Instance!;

    public IServiceProvider ActivationServices => _lifecycle.Services;

    public Task Deactivated => _deactivated.Task;

    public bool HasEnded => _state == ActivationState.Ended;

    public ActivationState State => _state;

    /// <summary>Requests that run now, for the log.</summary>
    public int RunningRequests => _requests.Running;

    /// <summary>The activation behind a grain object.</summary>
    public static Activation Of(IGrainBase grain) =>
        grain.GrainContext as Activation ?? throw new InvalidOperationException($"{grain.GetType()} is not activated by this runtime");

    /// <summary>Begins to bring the grain up.</summary>
    public void Start() => Post(static self => self._lifecycle.BringUp());

    /// <summary>Takes a request whose caller does not wait on this thread.</summary>
    public void Receive(GrainRequest request) => Turns.Enqueue(new Turn(null, request));

    /// <summary>Starts a call on the caller's thread if the activation is idle; false: hand it to <see cref="Receive"/>.</summary>
    public bool TryRunInline(GrainCall call)
    {
        if (_state != ActivationState.Valid || !InlineTurn.TryBegin(Turns, out var turn))
        {
            return false;
        }

        try
        {
            Admit(call);
        }
        finally
        {
            turn.End();
        }

        return true;
    }

    public void RunTurn(Turn turn)
    {
        if (turn.Callback is null)
        {
            Admit((GrainRequest)turn.State!);
            return;
        }

        try
        {
            turn.Callback(turn.State);
        }
#pragma warning disable CA1031 // The boundary of a turn: an "async void" of a grain ends here.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.TurnFailed(Runtime.Logger, GrainId, exception);
        }
    }

    /// <summary>A request that went on after its first turn has ended. Called in a turn.</summary>
    public void OnRequestEnded(GrainRequest request)
    {
        _requests.Ended(request);
        Touch(request);
        if (_state == ActivationState.Deactivating)
        {
            BringDownIfQuiet();
        }
        else
        {
            Pump();
        }
    }

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        if (deactivationReason.ReasonCode == DeactivationReasonCode.ShuttingDown)
        {
            _lifecycle.CancelBringUp();
        }

        if (Interlocked.CompareExchange(ref _ending, new Ending(deactivationReason, cancellationToken), null) is null)
        {
            Post(static self => self.BeginToEnd());
        }
    }

    /// <summary>Not collected for being idle before then; infinite or a very long time: never; not positive: no delay any more.</summary>
    public void DelayDeactivation(TimeSpan timeSpan)
    {
        var forever = timeSpan == Timeout.InfiniteTimeSpan || timeSpan.TotalDays > 10_000;
        _keepUntil = forever ? long.MaxValue : timeSpan > TimeSpan.Zero ? Runtime.Clock.After(timeSpan) : 0;
    }

    /// <summary>Ends the activation if it has been idle for its collection age.</summary>
    public void CollectIfIdle()
    {
        if (IsCollectable())
        {
            Post(static self =>
            {
                if (self.IsCollectable())
                {
                    self.Deactivate(new DeactivationReason(DeactivationReasonCode.ActivationIdle, "idle for its collection age"));
                }
            });
        }
    }

    public IGrainTimer RegisterTimer<TState>(Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options) =>
        Timers.Register(callback, state, options);

    /// <summary>The grain is up. Called in a turn.</summary>
    public void BecomeValid()
    {
        _state = ActivationState.Valid;
        _lastUsed = Runtime.Clock.Now;
        Runtime.Metrics.Activated(Class);
        var ending = Volatile.Read(ref _ending);

        // One request at least: a grain that ends itself while it comes up would otherwise never answer anybody.
        if (ending?.Reason.ReasonCode != DeactivationReasonCode.ShuttingDown)
        {
            Pump();
        }

        if (ending is not null)
        {
            BeginToEnd();
        }
    }

    /// <summary>Everything is released. Called in a turn; the catalog no longer knows the activation.</summary>
    public void BecomeEnded(Exception? failure)
    {
        if (_state == ActivationState.Deactivating)
        {
            Runtime.Metrics.Deactivated(Class);
        }

        _state = ActivationState.Ended;
        foreach (var request in _requests.TakeWaiting())
        {
            if (failure is null)
            {
                request.Reroute();
            }
            else
            {
                request.Fail(failure);
            }
        }

        _deactivated.TrySetResult();
    }

    private void Admit(GrainRequest request)
    {
        if (request.IsAbandoned)
        {
            return;
        }

        if (_state == ActivationState.Valid ? _requests.MayStart(request) : _state == ActivationState.Deactivating && _requests.MayBeWaitedFor(request))
        {
            Run(request);
        }
        else if (_state == ActivationState.Ended)
        {
            request.Park();
            request.Reroute();
        }
        else
        {
            request.Park();
            _requests.Wait(request);
        }
    }

    private void Run(GrainRequest request)
    {
        if (request.Start(this))
        {
            Touch(request);
        }
        else
        {
            _requests.Started(request);
        }
    }

    // One request a turn, so that a long queue does not keep the pool's thread.
    private void Pump()
    {
        if (_state == ActivationState.Valid && _requests.TryTakeStartable(out var request))
        {
            Run(request);
            if (_requests.HasStartable && !_pumpPosted)
            {
                _pumpPosted = true;
                Post(static self =>
                {
                    self._pumpPosted = false;
                    self.Pump();
                });
            }
        }
    }

    private void BeginToEnd()
    {
        if (_state == ActivationState.Valid)
        {
            _state = ActivationState.Deactivating;
            Timers.Dispose();
            BringDownIfQuiet();
        }
    }

    private void BringDownIfQuiet()
    {
        if (_requests.Running == 0)
        {
            _lifecycle.BringDown(_ending!);
        }
    }

    private bool IsCollectable() =>
        _state == ActivationState.Valid
        && _requests.IsIdle
        && Class.CollectionAge != Timeout.InfiniteTimeSpan
        && Runtime.Clock.Elapsed(Volatile.Read(ref _lastUsed)) >= Class.CollectionAge
        && Runtime.Clock.Now >= Volatile.Read(ref _keepUntil);

    private void Touch(GrainRequest request)
    {
        if (request.KeepsAlive)
        {
            _lastUsed = Runtime.Clock.Now;
        }
    }

    private void Post(Action<Activation> work) => Turns.Enqueue(new Turn(static state =>
    {
        var (self, work) = ((Activation, Action<Activation>))state!;
        work(self);
    }, (this, work)));
}
