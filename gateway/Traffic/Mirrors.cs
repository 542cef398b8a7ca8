using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Logging;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Traffic;

/// <summary>
/// Copies of requests on their way to candidates. A copy is sent once its client's answer is there, on a thread of its own, so that it takes nothing from that answer.
/// Both messages are held until the answers are compared. There are at most so many copies, and bytes of them, at once.
/// </summary>
internal sealed class Mirrors : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly InferenceDispatcher _dispatcher;
    private readonly Rollbacks _rollbacks;
    private readonly TrafficOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<Mirrors> _logger;
    private readonly CauseLimiter _errors;
    private readonly CancellationToken _stopping;
    private readonly long _maxBytes;
    private long _bytes;
    private int _count;

    public Mirrors(InferenceDispatcher dispatcher, Rollbacks rollbacks, TrafficOptions options, TimeProvider time, ILogger<Mirrors> logger)
    {
        (_dispatcher, _rollbacks, _options, _time, _logger) = (dispatcher, rollbacks, options, time, logger);
        _errors = new CauseLimiter(time);
        _stopping = _stop.Token;
        _maxBytes = (long)options.MaxMirrorMiB << 20;
    }

    /// <summary>Copies that are under way or wait for the answer that they are compared with.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes a place, and a count of the message, for a request that is about to be sent to the active model.</summary>
    /// <returns>Null where there is no room, which is counted.</returns>
    public Mirror? TryTake(LiveRule rule, PayloadBuffer message)
    {
        if (!TryHold(message.Length))
        {
            rule.Dropped();
            return null;
        }

        message.Retain();
        return new Mirror(this, rule, message);
    }

    /// <summary>Ends the copies that are under way.</summary>
    public void Dispose()
    {
        if (!_stop.IsCancellationRequested)
        {
            _stop.Cancel();
            _stop.Dispose();
        }
    }

    /// <summary>Holds the bytes of an answer too.</summary>
    internal bool TryHoldAnswer(int bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= _maxBytes)
        {
            return true;
        }

        Interlocked.Add(ref _bytes, -bytes);
        return false;
    }

    internal void Release(long bytes)
    {
        Interlocked.Add(ref _bytes, -bytes);
        Interlocked.Decrement(ref _count);
    }

    /// <summary>Sends a copy and compares its answer. The call takes over the copy's message. A failure counts against the candidate and reaches no client.</summary>
    internal async Task RunAsync(LiveRule rule, PayloadBuffer message, PayloadBuffer expected)
    {
        var start = _time.GetTimestamp();
        try
        {
            using var limit = new CancellationTokenSource(_options.MirrorTimeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping);
            var call = new InferCall(rule.Rule.Candidate, rule.CandidateVersion, message, Protocol.Grpc, _options.MirrorTimeout) { Caller = Caller.Anyone };
            var (reply, _, _) = await _dispatcher.InferAsync(call, either.Token).ConfigureAwait(false);
            using var answer = reply.Message;
            Judge(rule, reply, expected, _time.GetElapsedTime(start));
        }
        catch (Exception exception)
        {
            // The edge of the copy: its client has its answer, and there is no caller that could act on this.
            if (!_stopping.IsCancellationRequested && rule.Ended(TrafficLeg.Shadow, TrafficOutcome.Failure, _time.GetElapsedTime(start)) is { } judgement)
            {
                _rollbacks.Begin(rule, judgement);
            }

            if (!_stopping.IsCancellationRequested && _errors.TryPass(exception.GetType().Name, out var heldBack))
            {
                Log.MirrorFailed(_logger, exception, rule.Alias, heldBack);
            }
        }
    }

    private void Judge(LiveRule rule, InferReply reply, PayloadBuffer expected, TimeSpan elapsed)
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        // The active model took the request, so that it was not wrong.
        var outcome = reply.Succeeded ? TrafficOutcome.Success : TrafficOutcome.Failure;
        var judgement = rule.Ended(TrafficLeg.Shadow, outcome, elapsed);
        if (reply.Succeeded)
        {
            judgement = Compare(rule, reply.Message, expected) ?? judgement;
        }

        if (judgement is not null)
        {
            _rollbacks.Begin(rule, judgement);
        }
    }

    private TrafficJudgement? Compare(LiveRule rule, PayloadBuffer answer, PayloadBuffer expected)
    {
        if (!TryHoldAnswer(answer.Length))
        {
            rule.Dropped();
            return null;
        }

        try
        {
            return rule.Compared(AnswerComparison.Compare(expected.Span, answer.Span, rule.Rule.AbsoluteTolerance, rule.Rule.RelativeTolerance));
        }
        finally
        {
            Interlocked.Add(ref _bytes, -answer.Length);
        }
    }

    private bool TryHold(int bytes)
    {
        if (Interlocked.Increment(ref _count) <= _options.MaxMirrors && TryHoldAnswer(bytes))
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }
}

/// <summary>A copy of one request: a place among the <see cref="Mirrors"/> and a count of the message, until it is compared or given up.</summary>
internal sealed class Mirror(Mirrors mirrors, LiveRule rule, PayloadBuffer message) : IThreadPoolWorkItem, IDisposable
{
    private readonly long _requestBytes = message.Length;
    private PayloadBuffer? _expected;

    /// <summary>Sends the copy if the client has an answer that it can be compared with, else gives it up. Returns at once.</summary>
    /// <param name="reply">The client's; stays its.</param>
    public void Begin(InferReply reply)
    {
        // The rule may have ended while the client's request was under way.
        if (!reply.Succeeded || !rule.IsOn || rule.IsOver)
        {
            Dispose();
            return;
        }

        if (!mirrors.TryHoldAnswer(reply.Message.Length))
        {
            rule.Dropped();
            Dispose();
            return;
        }

        reply.Message.Retain();
        _expected = reply.Message;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Gives up a copy that was not sent.</summary>
    public void Dispose()
    {
        message.Dispose();
        mirrors.Release(_requestBytes);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        var expected = _expected!;
        var bytes = _requestBytes + expected.Length;
        using (expected)
        {
            await mirrors.RunAsync(rule, message, expected).ConfigureAwait(false);
        }

        mirrors.Release(bytes);
    }
}
