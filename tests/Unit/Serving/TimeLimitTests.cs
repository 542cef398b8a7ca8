using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Rest;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Xunit;
using StatusCode = Cluster.Contracts.Errors.StatusCode;

namespace Cluster.Unit.Serving;

public sealed class TimeLimitTests : IDisposable
{
    private static readonly TimeLimit HalfASecond = new(TimeSpan.FromMilliseconds(500), "500 ms of X-Request-Timeout");

    private readonly ManualTimeProvider _time = new();
    private readonly TaskCompletionSource<InferReply> _run = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FakeServingApi _api = new();
    private readonly LogSink _log = new();
    private readonly LateFailures _late;

    /// <summary>Of the API: what stops its run.</summary>
    private CancellationToken _token;

    public TimeLimitTests()
    {
        using var loggers = new LoggerFactory([_log]);
        _late = new LateFailures(_time, loggers.CreateLogger<LateFailures>());
        _api.Infer = (_, _, token) =>
        {
            _token = token;
            _begun.SetResult();
            return new ValueTask<InferReply>(_run.Task);
        };
    }

    [Fact]
    public async Task Infer_RunGoesOnBeyondTheLimit_IsAnsweredThenAndTheLateReplyIsGivenUp()
    {
        var answering = InferAsync(HalfASecond);
        await _begun.Task.Soon();
        _time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(answering.IsCompleted);

        _time.Advance(TimeSpan.FromMilliseconds(1));

        var reply = await answering.Soon();
        Assert.Equal(StatusCode.DeadlineExceeded, reply.Failure!.Code);
        Assert.Contains("500 ms of X-Request-Timeout", reply.Failure.Message, StringComparison.Ordinal);
        Assert.True(_token.IsCancellationRequested);

        // What follows the run's end is done within it.
        var late = PayloadBuffer.CopyOf([1]);
        await Task.Run(() => _run.SetResult(InferReply.Success(late))).Soon();
        Assert.Throws<ObjectDisposedException>(() => late.Span.Length);
    }

    /// <summary>The caller has its answer by then; the log alone can tell.</summary>
    [Fact]
    public async Task Infer_FailsUnexpectedlyAfterTheLimit_IsLogged()
    {
        var answering = InferAsync(HalfASecond);
        await _begun.Task.Soon();
        _time.Advance(HalfASecond.Span);
        await answering.Soon();

        _run.SetException(new InvalidOperationException("torn"));

        var entry = await _log.UntilAsync(static entry => entry.Id == 3230);
        Assert.Equal("torn", entry.Exception!.Message);
    }

    [Fact]
    public async Task Infer_RunHoldsItsCallersThread_IsAnsweredAtTheLimit()
    {
        var end = new TaskCompletionSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _api.Infer = (_, _, _) =>
        {
            begun.SetResult();
            HoldUntil(end.Task);
            return new ValueTask<InferReply>(_run.Task);
        };
        var answering = InferAsync(HalfASecond);
        await begun.Task.Soon();

        _time.Advance(HalfASecond.Span);

        Assert.Equal(StatusCode.DeadlineExceeded, (await answering.Soon()).Failure!.Code);
        end.SetResult();
        _run.SetResult(InferReply.Failed(Failure.Cancelled("stopped")));
    }

    [Fact]
    public async Task Infer_CallerGoesWhileTheRunGoesOn_IsAnsweredAsCancelled()
    {
        using var caller = new CancellationTokenSource();
        var answering = InferAsync(HalfASecond, caller.Token);
        await _begun.Task.Soon();

        await caller.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await answering.Soon()).Failure!.Code);
        Assert.True(_token.IsCancellationRequested);
        await Task.Run(() => _run.SetResult(InferReply.Success(PayloadBuffer.CopyOf([1])))).Soon();
    }

    [Fact]
    public async Task Infer_AnsweredInTime_HandsTheReplyOn()
    {
        var answering = InferAsync(HalfASecond);
        await _begun.Task.Soon();
        var made = InferReply.Success(PayloadBuffer.CopyOf([1]));

        _run.SetResult(made);

        Assert.Same(made, await answering.Soon());
        Assert.Equal(HalfASecond.Span, _api.LastCall!.Value.Timeout);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, made.Message!.Span[0]);
    }

    [Fact]
    public async Task Infer_NoLimit_WaitsForTheRun()
    {
        var answering = InferAsync(limit: null);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(answering.IsCompleted);

        var made = InferReply.Success(PayloadBuffer.CopyOf([1]));
        _run.SetResult(made);

        Assert.Same(made, await answering.Soon());
        Assert.False(_token.CanBeCanceled);
    }

    public void Dispose() => _log.Dispose();

    private static void HoldUntil(Task end) => end.WaitAsync(Wait.Limit).GetAwaiter().GetResult();

    /// <summary>Off the test's own context, so that what follows an end runs at once.</summary>
    private Task<InferReply> InferAsync(TimeLimit? limit, CancellationToken cancellationToken = default)
    {
        var message = PayloadBuffer.CopyOf(new ModelInferRequest { ModelName = "m" }.ToByteArray());
        var call = new InferCall("m", "", message, Protocol.Rest, Timeout: null) { Caller = Caller.Anyone };
        return Task.Run(() => new Started(TimeLimit.InferAsync(_api, call, limit, _time, _late, cancellationToken).AsTask())).GetAwaiter().GetResult().Answering;
    }

    /// <summary>So that waiting for the start is not waiting for the answer.</summary>
    private sealed record Started(Task<InferReply> Answering);
}
