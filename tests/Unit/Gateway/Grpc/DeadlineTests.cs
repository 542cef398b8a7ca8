using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Grpc;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class DeadlineTests
{
    private static readonly TimeSpan SoonSpan = TimeSpan.FromMilliseconds(50);
    private static readonly (string, string) Soon = ("grpc-timeout", "50m");
    private static readonly (string, string) Late = ("grpc-timeout", "72H");

    private readonly ManualTimeProvider _time = new();
    private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Unary_DeafHandler_IsAnsweredAtTheDeadlineAndItsLateReplyDisposed()
    {
        var gate = new TaskCompletionSource<GrpcReply>();
        await using var server = await StartAsync(service => service.RawUnary("ModelInfer", (_, request) =>
        {
            request.Dispose();
            _called.SetResult();
            return new ValueTask<GrpcReply>(gate.Task);
        }));
        var pending = server.CallAsync(GrpcTestServer.Infer, Frame([1]), Soon);
        await _called.Task.WaitAsync(GrpcTestServer.Patience);

        _time.Advance(SoonSpan);
        var reply = await pending;

        Assert.True(reply.TrailersOnly);
        Assert.Equal(StatusCode.DeadlineExceeded, reply.Status);
        var late = PayloadBuffer.CopyOf([1]);
        gate.SetResult(late);
        await server.FinishedAsync();
        Assert.Throws<ObjectDisposedException>(() => late.Memory);
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Unary_HandlerHeedsTheToken_SeesTheDeadlineAsCause()
    {
        var cause = CancellationCause.None;
        await using var server = await StartAsync(service => service.RawUnary("ModelInfer", async (call, request) =>
        {
            request.Dispose();
            _called.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, call.CancellationToken);
            }
            finally
            {
                cause = call.Cause;
            }

            return Failure.Internal("unreachable");
        }));
        var pending = server.CallAsync(GrpcTestServer.Infer, Frame([1]), Soon);
        await _called.Task.WaitAsync(GrpcTestServer.Patience);

        _time.Advance(SoonSpan);
        var reply = await pending;
        await server.FinishedAsync();

        Assert.Equal((StatusCode.DeadlineExceeded, CancellationCause.Deadline), (reply.Status, cause));
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Unary_DeadlineInDays_FiresNeitherEarlyNorNever()
    {
        var remaining = new TaskCompletionSource<GrpcCallContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource<GrpcReply>();
        await using var server = await StartAsync(service => service.RawUnary("ModelInfer", (call, request) =>
        {
            request.Dispose();
            remaining.SetResult(call);
            return new ValueTask<GrpcReply>(gate.Task);
        }));
        var pending = server.CallAsync(GrpcTestServer.Infer, Frame([1]), Late);
        var call = await remaining.Task.WaitAsync(GrpcTestServer.Patience);

        _time.Advance(TimeSpan.FromHours(72) - SoonSpan);
        Assert.Equal((SoonSpan, CancellationCause.None), (call.Remaining, call.Cause));
        _time.Advance(SoonSpan);
        Assert.Equal((TimeSpan.Zero, CancellationCause.Deadline), (call.Remaining, call.Cause));

        Assert.Equal(StatusCode.DeadlineExceeded, (await pending).Status);
        gate.SetResult(Failure.Internal("late"));
    }

    [Fact]
    public async Task Unary_RequestNeverArrives_IsAnsweredAtTheDeadline()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));
        using var body = new DuplexContent();

        var reply = await server.CallAsync(GrpcTestServer.Infer, body, Soon);

        Assert.Equal(StatusCode.DeadlineExceeded, reply.Status);
        body.Complete();
        await server.FinishedAsync();
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Unary_ZeroTimeout_IsExceededAtOnce()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1]), ("grpc-timeout", "0S"));

        Assert.Equal(StatusCode.DeadlineExceeded, reply.Status);
    }

    [Fact]
    public async Task Unary_InTime_IsAnsweredAndItsTimerServesTheNextCall()
    {
        var tokens = new List<CancellationToken>();
        var remaining = new List<TimeSpan?>();
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", (call, request) =>
        {
            tokens.Add(call.CancellationToken);
            remaining.Add(call.Remaining);
            return UnaryCallTests.Echo(call, request);
        }));

        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(StatusCode.Ok, (await server.CallAsync(GrpcTestServer.Infer, Frame([1]), Late)).Status);
            await server.FinishedAsync();
        }

        Assert.Equal(tokens[0], tokens[1]);
        Assert.Equal(tokens[0], tokens[2]);
        Assert.All(remaining, left => Assert.InRange(left!.Value, TimeSpan.FromHours(71), TimeSpan.FromHours(72)));
    }

    [Fact]
    public async Task Unary_AfterAnExpiredCall_TheNextHasAFreshToken()
    {
        var cancelled = new List<bool>();
        await using var server = await StartAsync(service => service.RawUnary("ModelInfer", async (call, request) =>
        {
            cancelled.Add(call.CancellationToken.IsCancellationRequested);
            if (request.Span[0] == 0)
            {
                _called.SetResult();
                await Task.Delay(Timeout.Infinite, call.CancellationToken);
            }

            return request;
        }));

        var pending = server.CallAsync(GrpcTestServer.Infer, Frame([0]), Soon);
        await _called.Task.WaitAsync(GrpcTestServer.Patience);
        _time.Advance(SoonSpan);

        Assert.Equal(StatusCode.DeadlineExceeded, (await pending).Status);
        Assert.Equal(StatusCode.Ok, (await server.CallAsync(GrpcTestServer.Infer, Frame([1]), Late)).Status);
        Assert.All(cancelled, Assert.False);
    }

    [Fact]
    public async Task Unary_ClientTakesNothing_IsResetAtTheDeadlineAndTheReplyDisposed()
    {
        var large = PayloadBuffer.Rent(50_000_000);
        await using var server = await StartAsync(service => service.RawUnary("ModelInfer", (_, request) =>
        {
            request.Dispose();
            return ValueTask.FromResult<GrpcReply>(large);
        }));

        using var response = await server.SendAsync(
            GrpcTestServer.Infer, new ByteArrayContent(Frame([1])), default, Soon);
        _time.Advance(SoonSpan);
        await server.FinishedAsync();

        Assert.Throws<ObjectDisposedException>(() => large.Memory);
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync().WaitAsync(GrpcTestServer.Patience));
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Stream_DeafHandler_EndsAtTheDeadlineAfterWhatWasSent()
    {
        var gate = new TaskCompletionSource();
        var afterwards = new TaskCompletionSource<Exception?>();
        await using var server = await StartAsync(service => service.RawStream("ModelStreamInfer", async (_, _, responses) =>
        {
            await responses.WriteAsync(PayloadBuffer.CopyOf([1]));
            _called.SetResult();
            await gate.Task;
            afterwards.SetResult(await Record.ExceptionAsync(async () => await responses.WriteAsync(PayloadBuffer.CopyOf([2]))));
            return null;
        }));

        var pending = server.CallAsync(GrpcTestServer.StreamInfer, [], Soon);
        await _called.Task.WaitAsync(GrpcTestServer.Patience);

        _time.Advance(SoonSpan);
        var reply = await pending;

        Assert.False(reply.TrailersOnly);
        Assert.Equal(StatusCode.DeadlineExceeded, reply.Status);
        Assert.Equal([1], reply.Single);
        gate.SetResult();
        Assert.IsAssignableFrom<OperationCanceledException>(await afterwards.Task.WaitAsync(GrpcTestServer.Patience));
        await server.FinishedAsync();
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Stream_ClientTakesNothing_IsResetAtTheDeadline()
    {
        await using var server = await StartAsync(service => service.RawStream("ModelStreamInfer", async (_, _, responses) =>
        {
            while (true)
            {
                await responses.WriteAsync(PayloadBuffer.Rent(1_000_000));
            }
        }));

        using var response = await server.SendAsync(GrpcTestServer.StreamInfer, new ByteArrayContent([]), default, Soon);
        _time.Advance(SoonSpan);
        await server.FinishedAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync().WaitAsync(GrpcTestServer.Patience));
        Assert.Empty(server.Logs.Problems);
    }

    private Task<GrpcTestServer> StartAsync(Action<GrpcServiceBuilder> configure) =>
        GrpcTestServer.StartAsync(configure, services: services => services.AddSingleton<TimeProvider>(_time));
}
