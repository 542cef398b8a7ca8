using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Grpc;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class CancellationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unary_ClientCancels_FiresTheTokenAndLogsNoError(bool withDeadline)
    {
        var called = new TaskCompletionSource();
        var cause = CancellationCause.None;
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", async (call, request) =>
        {
            request.Dispose();
            called.SetResult();
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
        using var cancellation = new CancellationTokenSource();
        var pending = Send(server, withDeadline, cancellation.Token);
        await called.Task.WaitAsync(GrpcTestServer.Patience);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        await server.FinishedAsync();
        Assert.Equal(CancellationCause.Client, cause);
        Assert.Empty(server.Logs.Problems);
        Assert.Contains(server.Logs.Entries, entry => entry.EventId == 3001);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unary_ClientGoneBeforeTheReply_DisposesIt(bool withDeadline)
    {
        var called = new TaskCompletionSource<CancellationToken>();
        var gate = new TaskCompletionSource<GrpcReply>();
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", (call, request) =>
        {
            request.Dispose();
            called.SetResult(call.CancellationToken);
            return new ValueTask<GrpcReply>(gate.Task);
        }));
        using var cancellation = new CancellationTokenSource();
        var pending = Send(server, withDeadline, cancellation.Token);
        var token = await called.Task.WaitAsync(GrpcTestServer.Patience);
        var fired = new TaskCompletionSource();
        await using var registration = token.Register(fired.SetResult);

        await cancellation.CancelAsync();
        await fired.Task.WaitAsync(GrpcTestServer.Patience);
        var reply = PayloadBuffer.CopyOf([1]);
        gate.SetResult(reply);

        await server.FinishedAsync();
        Assert.Throws<ObjectDisposedException>(() => reply.Memory);
        Assert.Empty(server.Logs.Problems);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
    }

    [Fact]
    public async Task Unary_AfterACancelledCall_TheNextHasAFreshToken()
    {
        var called = new TaskCompletionSource();
        var cancelled = new List<bool>();
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", async (call, request) =>
        {
            cancelled.Add(call.CancellationToken.IsCancellationRequested);
            if (called.TrySetResult())
            {
                await Task.Delay(Timeout.Infinite, call.CancellationToken);
            }

            return request;
        }));
        using var cancellation = new CancellationTokenSource();
        var pending = Send(server, withDeadline: true, cancellation.Token);
        await called.Task.WaitAsync(GrpcTestServer.Patience);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        await server.FinishedAsync();

        using var response = await Send(server, withDeadline: true, CancellationToken.None);

        Assert.Equal(StatusCode.Ok, (await ReadAsync(response)).Status);
        Assert.Equal([false, false], cancelled);
    }

    [Fact]
    public async Task Unary_ConnectionLostWhileSending_EndsTheCall()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));
        using var cancellation = new CancellationTokenSource();
        var body = new DuplexContent();
        var pending = server.SendAsync(GrpcTestServer.Infer, body, cancellation.Token);
        await body.WriteAsync(Frame(Bytes(1000))[..500]);

        await cancellation.CancelAsync();

        await server.FinishedAsync();
        Assert.Empty(server.Logs.Problems);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
    }

    [Fact]
    public async Task Stream_ClientCancels_StopsReaderAndWriter()
    {
        var outcomes = new TaskCompletionSource<(Exception? Read, Exception? Write, CancellationCause Cause)>();
        var message = PayloadBuffer.CopyOf([2]);
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", async (call, requests, responses) =>
        {
            await responses.WriteAsync(PayloadBuffer.CopyOf([1]));
            var read = await Record.ExceptionAsync(async () => await requests.ReadAsync());
            var gone = new TaskCompletionSource();
            await using var registration = call.CancellationToken.Register(gone.SetResult);
            await gone.Task;
            var write = await Record.ExceptionAsync(async () => await responses.WriteAsync(message));
            outcomes.SetResult((read, write, call.Cause));
            return null;
        }));
        using var cancellation = new CancellationTokenSource();
        var body = new DuplexContent();
        using var response = await server.SendAsync(GrpcTestServer.StreamInfer, body, cancellation.Token);
        var stream = await response.Content.ReadAsStreamAsync();
        await stream.ReadExactlyAsync(new byte[6]);

        await stream.DisposeAsync();
        response.Dispose();
        await cancellation.CancelAsync();

        var (readFailure, writeFailure, cause) = await outcomes.Task.WaitAsync(GrpcTestServer.Patience);
        Assert.IsAssignableFrom<OperationCanceledException>(readFailure);
        Assert.IsAssignableFrom<OperationCanceledException>(writeFailure);
        Assert.Equal(CancellationCause.Client, cause);
        Assert.Throws<ObjectDisposedException>(() => message.Memory);
        await server.FinishedAsync();
        Assert.Empty(server.Logs.Problems);
    }

    private static Task<HttpResponseMessage> Send(GrpcTestServer server, bool withDeadline, CancellationToken cancellation) =>
        server.SendAsync(GrpcTestServer.Infer, new ByteArrayContent(Frame([1])), cancellation, withDeadline ? [("grpc-timeout", "1H")] : []);
}
