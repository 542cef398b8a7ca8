using System.Collections.Concurrent;

namespace Cluster.Runtime;

/// <summary>
/// The probes that wait for an answer from one connection, of its other end and of silos that the other end was asked to probe.
/// Number 0 is the connection's own, for which nobody waits.
/// </summary>
internal sealed class Probes(Outbox outbox, TimeProvider time)
{
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<ProbeOutcome?>> _waiting = new();
    private ulong _lastId;
    private volatile bool _closed;

    /// <summary>Asks the other end whether it is there.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ProbeOutcome> ProbeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var outcome = await AskAsync(static id => OutgoingMessage.Signal(FrameType.Probe, id), timeout, cancellationToken).ConfigureAwait(false);
        return outcome ?? (_closed ? ProbeOutcome.Refused : ProbeOutcome.TimedOut);
    }

    /// <summary>Asks the other end to probe a silo; null: it did not say in time what it found.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<ProbeOutcome?> ProbeThroughAsync(SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken) =>
        AskAsync(id => ProbeFormat.WriteRequest(id, target, timeout), timeout, cancellationToken);

    public void Answered(ulong id, ProbeOutcome outcome)
    {
        if (_waiting.TryRemove(id, out var answer))
        {
            answer.TrySetResult(outcome);
        }
    }

    /// <summary>Nobody answers any more.</summary>
    public void Close()
    {
        _closed = true;
        foreach (var answer in _waiting.Values)
        {
            answer.TrySetResult(null);
        }
    }

    private async ValueTask<ProbeOutcome?> AskAsync(Func<ulong, OutgoingMessage> create, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<ProbeOutcome?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        try
        {
            outbox.AddOrRelease(create(id));
            if (_closed)
            {
                return null;
            }

            return await answer.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }
}
