using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class StreamingCallTests
{
    [Fact]
    public async Task RawStream_PingPong_AnswersBeforeTheClientEnds()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", EchoAsync));
        var body = new DuplexContent();
        var pending = server.SendAsync(GrpcTestServer.StreamInfer, body, default);
        foreach (var length in (int[])[0, 10, 100_000])
        {
            var sent = Bytes(length);
            await body.WriteAsync(Frame(sent));
            var stream = await (await pending.WaitAsync(GrpcTestServer.Patience)).Content.ReadAsStreamAsync();
            var frame = new byte[5 + length];
            await stream.ReadExactlyAsync(frame).AsTask().WaitAsync(GrpcTestServer.Patience);
            Assert.Equal(Frame(sent), frame);
        }

        body.Complete();
        using var response = await pending;
        var rest = await response.Content.ReadAsStreamAsync();
        Assert.Equal(0, await rest.ReadAsync(new byte[1]).AsTask().WaitAsync(GrpcTestServer.Patience));
        Assert.Equal("0", Assert.Single(response.TrailingHeaders.GetValues("grpc-status")));
    }

    [Fact]
    public async Task RawStream_ManyInOneBody_AnswersEachInOrder()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", EchoAsync));

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, [.. Enumerable.Range(0, 500).SelectMany(value => Frame([(byte)value, 1]))]);

        Assert.Equal(StatusCode.Ok, reply.Status);
        Assert.Equal(Enumerable.Range(0, 500).Select(value => (byte)value), reply.Messages.Select(message => message.Bytes[0]));
    }

    [Fact]
    public async Task RawStream_ConcurrentWriters_NeverMixMessages()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", async (_, _, responses) =>
        {
            await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
            {
                for (var round = 0; round < 20; round++)
                {
                    var message = PayloadBuffer.Rent(1 + (writer * 1500));
                    message.Span.Fill((byte)writer);
                    await responses.WriteAsync(message);
                }
            })));
            return null;
        }));

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, []);

        Assert.Equal(16 * 20, reply.Messages.Count);
        Assert.All(reply.Messages, message => Assert.True(
            message.Bytes.Length == 1 + (message.Bytes[0] * 1500) && !message.Bytes.AsSpan().ContainsAnyExcept(message.Bytes[0])));
    }

    [Fact]
    public async Task RawStream_ClientDoesNotRead_WriterWaits()
    {
        var written = 0;
        var stuck = new TaskCompletionSource();
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", async (_, requests, responses) =>
        {
            while (written < 1000)
            {
                var write = responses.WriteAsync(PayloadBuffer.Rent(1_000_000));
                if (!write.IsCompleted && await requests.ReadAsync() is null)
                {
                    stuck.TrySetResult();
                }

                await write;
                written++;
            }

            return null;
        }));
        using var response = await server.SendAsync(GrpcTestServer.StreamInfer, new ByteArrayContent([]), default);

        await stuck.Task.WaitAsync(GrpcTestServer.Patience);
        Assert.InRange(Volatile.Read(ref written), 0, 100);

        var stream = await response.Content.ReadAsStreamAsync();
        var total = 0L;
        var block = new byte[1 << 20];
        int count;
        while ((count = await stream.ReadAsync(block)) > 0)
        {
            total += count;
        }

        Assert.Equal(1000L * 1_000_005, total);
    }

    [Fact]
    public async Task RawStream_FailureAfterMessages_GoesIntoTheTrailers()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", async (_, _, responses) =>
        {
            await responses.WriteAsync(PayloadBuffer.CopyOf([7]));
            return Failure.Unavailable("gone", TimeSpan.FromSeconds(2));
        }));

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, []);

        Assert.False(reply.TrailersOnly);
        Assert.Equal([7], reply.Single);
        Assert.Equal((StatusCode.Unavailable, "gone", "2000"), (reply.Status, reply.Message, reply.Trailers["grpc-retry-pushback-ms"]));
    }

    [Fact]
    public async Task RawStream_OkWithoutMessages_IsOk()
    {
        await using var server = await GrpcTestServer.StartAsync(
            service => service.RawStream("ModelStreamInfer", (_, _, _) => ValueTask.FromResult<Failure?>(null)));

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, []);

        Assert.Equal(StatusCode.Ok, reply.Status);
        Assert.Empty(reply.Messages);
    }

    [Fact]
    public async Task RawStream_TooLargeMessage_EndsTheStreamAfterEarlierAnswers()
    {
        await using var server = await GrpcTestServer.StartAsync(
            service => service.RawStream("ModelStreamInfer", EchoAsync), options => options.MaxReceiveMessageSize = 10);

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, [.. Frame([1]), .. Frame(Bytes(11)), .. Frame([2])]);

        Assert.Equal([1], reply.Single);
        Assert.Equal(StatusCode.ResourceExhausted, reply.Status);
    }

    [Fact]
    public async Task RawStream_EndsWithinAMessage_IsInvalidArgument()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", EchoAsync));

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, [.. Frame([1]), 0, 0, 0, 0, 9, 1]);

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
    }

    [Fact]
    public async Task RawStream_UnexpectedException_IsInternal()
    {
        await using var server = await GrpcTestServer.StartAsync(
            service => service.RawStream("ModelStreamInfer", (_, _, _) => throw new InvalidOperationException("the secret")));

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, []);

        Assert.Equal((StatusCode.Internal, "internal error"), (reply.Status, reply.Message));
        Assert.Single(server.Logs.Problems);
    }

    [Fact]
    public async Task RawStream_CompressedRequests_AreMirrored()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawStream("ModelStreamInfer", EchoAsync));
        var zeros = new byte[10_000];

        var reply = await server.CallAsync(
            GrpcTestServer.StreamInfer,
            [.. Frame([5]), .. Frame(CompressionTests.Compress(zeros, "gzip"), compressed: true)],
            ("grpc-encoding", "gzip"),
            ("grpc-accept-encoding", "gzip"));

        Assert.Equal("gzip", reply.Headers["grpc-encoding"]);
        Assert.Equal([false, true], reply.Messages.Select(message => message.Compressed));
    }

    [Fact]
    public async Task Stream_Typed_ParsesEachAndRefusesGarbage()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.Stream<ModelInferRequest, ModelStreamInferResponse>(
            "ModelStreamInfer",
            ModelInferRequest.Parser,
            async (_, requests, responses) =>
            {
                while (await requests.ReadAsync() is { } request)
                {
                    await responses.WriteAsync(new ModelStreamInferResponse { ErrorMessage = request.ModelName });
                }
            }));

        var reply = await server.CallAsync(
            GrpcTestServer.StreamInfer, [.. Frame(new ModelInferRequest { ModelName = "a" }), .. Frame([0xFF, 0xFF])]);

        Assert.Equal("a", ModelStreamInferResponse.Parser.ParseFrom(reply.Single).ErrorMessage);
        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
        Assert.Contains("inference.ModelInferRequest", reply.Message, StringComparison.Ordinal);
    }

    private static async ValueTask<Failure?> EchoAsync(GrpcCallContext call, GrpcStreamReader requests, GrpcStreamWriter responses)
    {
        await foreach (var message in requests.ReadAllAsync())
        {
            await responses.WriteAsync(message);
        }

        return null;
    }
}
