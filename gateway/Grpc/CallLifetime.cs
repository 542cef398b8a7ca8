using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// The token and the timer of a call that has a deadline; pooled, since a timer and a token source would be most of such a call's
/// garbage.
/// </summary>
/// <remarks>
/// Two parties may answer a call: its handler, and the deadline. Whoever claims the answer first writes it. Once the timer found the
/// deadline passed, <see cref="StopAsync"/> waits for it, because the request's objects are reused as soon as the call returns.
/// </remarks>
internal sealed class CallLifetime(TimeProvider time, CallLifetimePool pool, ILogger logger) : IDisposable
{
    private const int Http2Cancel = 8;

    // A timer counts milliseconds in 32 bits; a later deadline takes several rounds.
    private static readonly TimeSpan LongestRound = TimeSpan.FromDays(1);
    private static readonly TimeSpan ShortestRound = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _source = new();
    private ITimer? _timer;
    private CancellationTokenRegistration _aborted;

    // Guarded by _gate.
    private GrpcCallContext? _call;
    private long _deadline;
    private bool _answerClaimed;
    private TaskCompletionSource? _expiry;

    public CancellationToken Token => _source.Token;

    public void Start(GrpcCallContext call, long deadline)
    {
        _aborted = call.HttpContext.RequestAborted.UnsafeRegister(static state => ((CallLifetime)state!).OnAborted(), this);
        _timer ??= time.CreateTimer(static state => ((CallLifetime)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (_gate)
        {
            _call = call;
            _deadline = deadline;
            _answerClaimed = false;
        }

        OnTimer();
    }

    public bool TryClaimAnswer()
    {
        lock (_gate)
        {
            return !_answerClaimed && (_answerClaimed = true);
        }
    }

    public Task StopAsync()
    {
        _aborted.Dispose();
        lock (_gate)
        {
            _call = null;
            if (_expiry is not null)
            {
                return StopExpiredAsync(_expiry.Task);
            }
        }

        _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (_source.TryReset())
        {
            pool.Return(this);
        }
        else
        {
            Dispose();
        }

        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _source.Dispose();
    }

    private async Task StopExpiredAsync(Task expiry)
    {
        await expiry.ConfigureAwait(false);
        Dispose();
    }

    private void OnAborted()
    {
        lock (_gate)
        {
            _call?.MarkCancelled(CancellationCause.Client);
        }

        _source.Cancel();
    }

    private void OnTimer()
    {
        GrpcCallContext call;
        TaskCompletionSource expiry;
        bool answer;
        lock (_gate)
        {
            // A late tick of an earlier call finds no call, or one whose deadline is still ahead.
            if (_call is null || _expiry is not null)
            {
                return;
            }

            var left = time.GetElapsedTime(time.GetTimestamp(), _deadline);
            if (left > TimeSpan.Zero)
            {
                var round = left > LongestRound ? LongestRound : left < ShortestRound ? ShortestRound : left;
                _timer!.Change(round, Timeout.InfiniteTimeSpan);
                return;
            }

            call = _call;
            call.MarkCancelled(CancellationCause.Deadline);
            expiry = _expiry = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            answer = !_answerClaimed;
            _answerClaimed = true;
        }

        _ = ExpireAsync(call, answer, expiry);
    }

    private async Task ExpireAsync(GrpcCallContext call, bool answer, TaskCompletionSource expiry)
    {
        try
        {
            // The answer first: what the token sets off in the handler may take its time.
            var written = answer ? AnswerAsync(call) : ResetAsync(call);
            await Task.WhenAll(written, _source.CancelAsync()).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.DeadlineAnswerFailed(logger, exception, call.Method);
        }
        finally
        {
            expiry.SetResult();
        }
    }

    private static Task AnswerAsync(GrpcCallContext call) => call.StreamWriter is { } writer
        ? writer.EndAtDeadlineAsync(call.CancellationFailure)
        : GrpcResponse.CompleteAsync(call.HttpContext, call.CancellationFailure);

    // The outcome is being written and the client does not take it: nothing but a reset is left to say.
    private static Task ResetAsync(GrpcCallContext call)
    {
        call.HttpContext.Features.Get<IHttpResetFeature>()?.Reset(Http2Cancel);
        return Task.CompletedTask;
    }
}
