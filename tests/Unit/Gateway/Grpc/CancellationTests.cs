using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Unit.Gateway.Rest;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>Calls that end before their answer is there, or taken: every message goes back to the pool.</summary>
public sealed class CancellationTests
{
    private readonly TaskCompletionSource<CancellationToken> _called = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<InferReply> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PayloadBuffer _reply = PayloadBuffer.Rent(50_000_000);
    private readonly FakeServingApi _api;
    private TimeSpan? _remaining;
    private PayloadBuffer? _request;

    public CancellationTests() => _api = new FakeServingApi
    {
        Observe = message => _request = message,
        Infer = (call, _, cancellation) =>
        {
            _remaining = call.Timeout;
            _called.TrySetResult(cancellation);
            return new ValueTask<InferReply>(_answer.Task);
        },
    };

    [Theory]
    [InlineData(GrpcTestServer.Infer, false)]
    [InlineData(GrpcTestServer.Infer, true)]
    [InlineData(GrpcTestServer.StreamInfer, false)]
    [InlineData(GrpcTestServer.StreamInfer, true)]
    public async Task ClientGone_BeforeTheReply_FiresTheTokenAndDisposesBoth(string path, bool withDeadline)
    {
        await using var server = await GrpcTestServer.StartAsync(_api);
        using var cancellation = new CancellationTokenSource();
        var pending = server.SendAsync(
            path, new ByteArrayContent(Frame(GrpcTestServer.Request([1]))), cancellation.Token, withDeadline ? [("grpc-timeout", "1H")] : []);
        await FiredAsync(cancellation.CancelAsync);

        _answer.SetResult(InferReply.Success(_reply));

        await server.FinishedAsync();
        AssertDisposed();
        Assert.Empty(server.Logs.Problems);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
    }

    [Theory]
    [InlineData(GrpcTestServer.Infer)]
    [InlineData(GrpcTestServer.StreamInfer)]
    public async Task Deadline_BeforeTheReply_IsAnsweredAtOnceAndTheLateReplyDisposed(string path)
    {
        await using var server = await GrpcTestServer.StartAsync(_api);

        var reply = await server.CallAsync(path, Frame(GrpcTestServer.Request([1])), ("grpc-timeout", "500m"));

        Assert.Equal(StatusCode.DeadlineExceeded, reply.Status);
        await FiredAsync(() => Task.CompletedTask);
        Assert.InRange(_remaining!.Value, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
        _answer.SetResult(InferReply.Success(_reply));
        await server.FinishedAsync();
        AssertDisposed();
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Deadline_ClientTakesNothing_EndsTheCallAndTheReplyIsDisposed()
    {
        _answer.SetResult(InferReply.Success(_reply));
        await using var server = await GrpcTestServer.StartAsync(_api);

        using var response = await server.SendAsync(
            GrpcTestServer.Infer, new ByteArrayContent(Frame(GrpcTestServer.Request([1]))), default, ("grpc-timeout", "2S"));
        await server.FinishedAsync();

        AssertDisposed();
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync().WaitAsync(GrpcTestServer.Patience));
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task ClientGone_WhileItsAnswerIsWritten_DisposesIt()
    {
        _answer.SetResult(InferReply.Success(_reply));
        await using var server = await GrpcTestServer.StartAsync(_api);
        using var cancellation = new CancellationTokenSource();

        using (await server.SendAsync(GrpcTestServer.Infer, new ByteArrayContent(Frame(GrpcTestServer.Request([1]))), cancellation.Token))
        {
            await cancellation.CancelAsync();
        }

        await server.FinishedAsync();
        AssertDisposed();
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Deadline_None_IsNull()
    {
        _answer.SetResult(InferReply.Failed(Failure.NotFound("m")));
        await using var server = await GrpcTestServer.StartAsync(_api);

        await server.CallAsync(GrpcTestServer.Infer, Frame([]));

        Assert.Null(_remaining);
    }

    [Fact]
    public async Task Deadline_RequestNeverArrives_EndsTheCall()
    {
        await using var server = await GrpcTestServer.StartAsync(_api);
        using var body = new DuplexContent();
        var pending = server.CallAsync(GrpcTestServer.Infer, body, ("grpc-timeout", "50m"));

        await server.FinishedAsync();

        try
        {
            Assert.Equal(StatusCode.DeadlineExceeded, (await pending).Status);
        }
        catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException)
        {
            // The library resets the stream after its answer; this client may notice that first. A gRPC client keeps its own time.
        }

        body.Complete();
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task ClientGone_WhileSending_EndsTheCall()
    {
        await using var server = await GrpcTestServer.StartAsync(_api);
        using var cancellation = new CancellationTokenSource();
        var body = new DuplexContent();
        var pending = server.SendAsync(GrpcTestServer.Infer, body, cancellation.Token);
        await body.WriteAsync(Frame(Bytes(1000))[..500]);

        await cancellation.CancelAsync();

        await server.FinishedAsync();
        Assert.Empty(server.Logs.Problems);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
    }

    private async Task FiredAsync(Func<Task> end)
    {
        var token = await _called.Task.WaitAsync(GrpcTestServer.Patience);
        var fired = new TaskCompletionSource();
        await using var registration = token.Register(() => fired.TrySetResult());
        await end();
        await fired.Task.WaitAsync(GrpcTestServer.Patience);
    }

    private void AssertDisposed()
    {
        Assert.Throws<ObjectDisposedException>(() => _reply.Memory);
        Assert.Throws<ObjectDisposedException>(() => _request!.Memory);
    }
}
