using System.Collections.Concurrent;

namespace Cluster.Runtime;

/// <summary>The probes that wait for an answer from one connection. Number 0 is the connection's own, for which nobody waits.</summary>
internal sealed class Probes(Outbox outbox, TimeProvider time)
{
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<ProbeResult>> _waiting = new();
    private ulong _lastId;
    private string? _closed;

    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ProbeResult> ProbeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<ProbeResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        var start = time.GetTimestamp();
        var message = OutgoingMessage.Signal(FrameType.Probe, id);
        if (!outbox.TryAdd(message))
        {
            message.Release();
            Close("the connection is closed");
        }

        if (Volatile.Read(ref _closed) is { } reason)
        {
            answer.TrySetResult(new ProbeResult(ProbeOutcome.Unreachable, TimeSpan.Zero, reason));
        }

        try
        {
            var result = await answer.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
            return result.Outcome == ProbeOutcome.Answered ? result with { RoundTrip = time.GetElapsedTime(start) } : result;
        }
        catch (TimeoutException)
        {
            return new ProbeResult(ProbeOutcome.TimedOut, TimeSpan.Zero, $"no answer within {timeout.TotalSeconds:0.###} s");
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    public void Answered(ulong id)
    {
        if (_waiting.TryRemove(id, out var answer))
        {
            answer.TrySetResult(new ProbeResult(ProbeOutcome.Answered, TimeSpan.Zero, ""));
        }
    }

    public void Close(string reason)
    {
        Interlocked.CompareExchange(ref _closed, reason, null);
        foreach (var answer in _waiting.Values)
        {
            answer.TrySetResult(new ProbeResult(ProbeOutcome.Unreachable, TimeSpan.Zero, reason));
        }
    }
}
