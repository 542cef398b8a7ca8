using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// One silo as seen from here: its connection, the attempt to make one with the calls that wait for it, or the time until the next
/// attempt, in which calls fail at once.
/// </summary>
internal sealed class Peer(PeerConnections connections, MessagingContext context, SiloAddress silo)
{
    private readonly Lock _gate = new();
    private readonly Queue<GrainCall> _waiting = new();
    private Connection? _connection;
    private Task<ConnectFailure?>? _attempt;
    private ConnectFailure? _lastFailure;
    private TimeSpan _backOff;
    private long _failedAt;

    public void Send(GrainCall call)
    {
        Connection? connection;
        ConnectFailure? refusal = null;
        lock (_gate)
        {
            connection = _connection;
            if (connection is { IsGoodbyeSaid: true })
            {
                refusal = new ConnectFailure(ConnectionLossKind.Refused, "the silo is stopping");
            }
            else if (connection is null && _attempt is null && IsBackingOff)
            {
                refusal = _lastFailure;
            }
            else if (connection is null)
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

    public async ValueTask<ProbeResult> ProbeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var start = context.Time.GetTimestamp();
        Connection? connection;
        Task<ConnectFailure?>? attempt = null;
        lock (_gate)
        {
            connection = _connection;
            if (connection is null)
            {
                attempt = _attempt ??= Task.Run(ConnectAsync);
            }
        }

        if (attempt is not null)
        {
            if (await WaitAsync(attempt, timeout, cancellationToken).ConfigureAwait(false) is { } failure)
            {
                return failure;
            }

            lock (_gate)
            {
                connection = _connection;
            }
        }

        var left = timeout - context.Time.GetElapsedTime(start);
        return connection is null || left <= TimeSpan.Zero
            ? new ProbeResult(ProbeOutcome.Unreachable, TimeSpan.Zero, "the connection broke at once")
            : await connection.Probes.ProbeAsync(left, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Uses a connection that the other end made, unless there is one.</summary>
    public void Adopt(Connection connection)
    {
        lock (_gate)
        {
            if (!connection.Ended.IsCompleted)
            {
                _connection ??= connection;
            }

            _backOff = TimeSpan.Zero;
            _lastFailure = null;
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
            }
        }
    }

    private bool IsBackingOff => _lastFailure is not null && context.Time.GetElapsedTime(_failedAt) < _backOff;

    // Does not throw: everybody who waits for the attempt gets its failure.
    private async Task<ConnectFailure?> ConnectAsync()
    {
        var (stream, failure) = await connections.ConnectAsync(silo).ConfigureAwait(false);
        if (stream is not null)
        {
            Adopt(connections.Open(stream, silo, PeerRole.Silo));
        }

        GrainCall[] waiting;
        Connection? connection;
        lock (_gate)
        {
            if (_connection is null)
            {
                failure ??= new ConnectFailure(ConnectionLossKind.Broken, "the connection broke at once");
                NoteFailure(failure);
            }

            _attempt = null;
            connection = _connection;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        if (connection is null)
        {
            connections.OnConnectFailed(silo, failure!);
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

        return connection is null ? failure : null;
    }

    private void NoteFailure(ConnectFailure failure)
    {
        _lastFailure = failure;
        _failedAt = context.Time.GetTimestamp();
        _backOff = _backOff == TimeSpan.Zero ? context.Options.MinBackOff : _backOff * 2;
        _backOff = _backOff < context.Options.MaxBackOff ? _backOff : context.Options.MaxBackOff;
    }

    private async Task<ProbeResult?> WaitAsync(Task<ConnectFailure?> attempt, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await attempt.WaitAsync(timeout, context.Time, cancellationToken).ConfigureAwait(false) is { } failure
                ? new ProbeResult(failure.Kind == ConnectionLossKind.Refused ? ProbeOutcome.Refused : ProbeOutcome.Unreachable, TimeSpan.Zero, failure.Reason)
                : null;
        }
        catch (TimeoutException)
        {
            return new ProbeResult(ProbeOutcome.TimedOut, TimeSpan.Zero, $"no connection within {timeout.TotalSeconds:0.###} s");
        }
    }

    private void Fail(GrainCall call, ConnectFailure failure)
    {
        context.Runtime.Locator.Forget(call.Target, silo);
        call.Fail(new SiloUnavailableException($"{call.Target}: {call.Method} was not sent: {silo} cannot be reached: {failure.Reason}"));
    }
}
