using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// One silo as seen from here: its connection, the attempt to make one with the calls that wait for it, or the time until the next
/// attempt, in which calls fail at once; so do all calls once the membership has declared it dead.
/// <para>
/// Two silos that connect to each other at the same time end with one connection: the silo with the smaller address refuses the other's
/// (<see cref="IsCrossing"/>), which then waits for that of the smaller one.
/// </para>
/// </summary>
internal sealed class Peer(PeerConnections connections, MessagingContext context, SiloAddress silo)
{
    private static readonly ConnectFailure Dead = new(ProbeOutcome.Refused, "the membership has declared it dead");
    private static readonly ConnectFailure Leaving = new(ProbeOutcome.Alive, "it is stopping");
    private static readonly ConnectFailure BrokeAtOnce = new(ProbeOutcome.Refused, "the connection broke at once");

    private readonly Lock _gate = new();
    private readonly Queue<GrainCall> _waiting = new();
    private TaskCompletionSource _adopted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Connection? _connection;
    private Task<ConnectFailure?>? _attempt;
    private ConnectFailure? _lastFailure;
    private TimeSpan _backOff;
    private long _failedAt;
    private bool _dead;

    /// <summary>A call would be sent, or would wait for an attempt to connect, rather than fail at once.</summary>
    public bool IsReachable
    {
        get
        {
            // Asked for every request: no lock while all is well.
            if (Usable is not null)
            {
                return true;
            }

            lock (_gate)
            {
                return RefusalLocked() is null;
            }
        }
    }

    /// <summary>This process is connecting to it and has the smaller address: then its own attempt to connect gives way.</summary>
    public bool IsCrossing
    {
        get
        {
            lock (_gate)
            {
                return _attempt is not null && _lastFailure is null && context.Role == PeerRole.Silo && context.Local < silo;
            }
        }
    }

    public void Send(GrainCall call)
    {
        if (Usable is { } usable)
        {
            usable.Outgoing.Send(call);
            return;
        }

        Connection? connection;
        ConnectFailure? refusal;
        lock (_gate)
        {
            connection = _connection;
            refusal = RefusalLocked();
            if (connection is null && refusal is null)
            {
                _waiting.Enqueue(call);
                _attempt ??= Task.Run(ConnectAsync);
            }
        }

        if (refusal is not null)
        {
            Fail(call, refusal);
        }
        else
        {
            connection?.Outgoing.Send(call);
        }
    }

    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ProbeOutcome> ProbeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var start = context.Time.GetTimestamp();
        var (connection, failure) = await ConnectAsync(timeout, cancellationToken).ConfigureAwait(false);
        var left = timeout - context.Time.GetElapsedTime(start);
        return connection is null ? failure!.Outcome
            : left > TimeSpan.Zero ? await connection.Probes.ProbeAsync(left, cancellationToken).ConfigureAwait(false)
            : ProbeOutcome.TimedOut;
    }

    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ProbeOutcome?> ProbeThroughAsync(SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var (connection, _) = await ConnectAsync(timeout, cancellationToken).ConfigureAwait(false);
        return connection is null ? null : await connection.Probes.ProbeThroughAsync(target, timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Uses a new connection; one that the other end made is always newer than what it knows of.</summary>
    public void Adopt(Connection connection)
    {
        lock (_gate)
        {
            if (connection.IsUsable && !_dead)
            {
                _connection = connection;
                _backOff = TimeSpan.Zero;
                _lastFailure = null;
                _adopted.TrySetResult();
                return;
            }
        }

        if (_dead)
        {
            connection.Abort(Dead.Reason, CloseCause.Orderly);
        }
    }

    /// <summary>A connection has ended.</summary>
    public void Detach(Connection connection)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_connection, connection))
            {
                _connection = null;
                _adopted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>The membership has declared it dead: whatever waits for it fails now, and whatever comes, at once.</summary>
    public void Bury()
    {
        GrainCall[] waiting;
        lock (_gate)
        {
            _dead = true;
            waiting = TakeWaitingLocked();
        }

        foreach (var call in waiting)
        {
            Fail(call, Dead);
        }
    }

    /// <summary>The connection if there is one that takes calls, read without a lock: one that has just gone fails what it is given.</summary>
    private Connection? Usable =>
        !Volatile.Read(ref _dead) && Volatile.Read(ref _connection) is { IsGoodbyeSaid: false } connection ? connection : null;

    private ConnectFailure? RefusalLocked() =>
        _dead ? Dead
        : _connection is { } connection ? (connection.IsGoodbyeSaid ? Leaving : null)
        : _attempt is null && _lastFailure is not null && context.Time.GetElapsedTime(_failedAt) < _backOff ? _lastFailure
        : null;

    private GrainCall[] TakeWaitingLocked()
    {
        GrainCall[] waiting = [.. _waiting];
        _waiting.Clear();
        return waiting;
    }

    /// <summary>The connection, or why there is none within that time. Probes do not wait for the back-off.</summary>
    private async ValueTask<(Connection? Connection, ConnectFailure? Failure)> ConnectAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Task<ConnectFailure?> attempt;
        lock (_gate)
        {
            if (_dead)
            {
                return (null, Dead);
            }

            if (_connection is { } connection)
            {
                return (connection, null);
            }

            attempt = _attempt ??= Task.Run(ConnectAsync);
        }

        try
        {
            var failure = await attempt.WaitAsync(timeout, context.Time, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                return failure is null && _connection is { } connection ? (connection, null) : (null, failure ?? BrokeAtOnce);
            }
        }
        catch (TimeoutException)
        {
            return (null, new ConnectFailure(ProbeOutcome.TimedOut, $"no connection within {timeout.TotalSeconds:0.###} s"));
        }
    }

    // Does not throw: everybody who waits for the attempt gets its failure.
    private async Task<ConnectFailure?> ConnectAsync()
    {
        var (stream, failure) = await connections.Connector.ConnectAsync(silo, Adopted).ConfigureAwait(false);
        if (stream is not null)
        {
            Adopt(connections.Open(stream, silo, PeerRole.Silo));
        }

        GrainCall[] waiting;
        Connection? connection;
        lock (_gate)
        {
            connection = _connection;
            failure = connection is null ? failure ?? BrokeAtOnce : null;
            if (failure is not null)
            {
                NoteFailureLocked(failure);
            }

            _attempt = null;
            waiting = TakeWaitingLocked();
        }

        if (failure is not null)
        {
            connections.OnConnectFailed(silo, failure);
        }

        foreach (var call in waiting)
        {
            if (connection is null)
            {
                Fail(call, failure!);
            }
            else if (!call.IsAbandoned)
            {
                connection.Outgoing.Send(call);
            }
        }

        return failure;
    }

    private Task Adopted
    {
        get
        {
            lock (_gate)
            {
                return _adopted.Task;
            }
        }
    }

    private void NoteFailureLocked(ConnectFailure failure)
    {
        _lastFailure = failure;
        _failedAt = context.Time.GetTimestamp();
        _backOff = _backOff == TimeSpan.Zero ? context.Options.MinBackOff : _backOff * 2;
        _backOff = _backOff < context.Options.MaxBackOff ? _backOff : context.Options.MaxBackOff;
    }

    private void Fail(GrainCall call, ConnectFailure failure)
    {
        context.Runtime.Locator.Forget(call.Target, silo);
        call.Fail(new SiloUnavailableException($"{call.Target}: {call.Method} was not sent: {silo} cannot be reached: {failure.Reason}"));
    }
}
