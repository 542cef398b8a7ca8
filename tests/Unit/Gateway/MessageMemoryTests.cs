using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Grpc;
using Cluster.Unit.Gateway.Rest;
using Grpc.Core;
using Xunit;
using StatusCode = Cluster.Contracts.Errors.StatusCode;

namespace Cluster.Unit.Gateway;

/// <summary>Requests while they are read: what they take of the process' memory together is bounded.</summary>
public sealed class MessageMemoryTests
{
    private const int MiB = 1 << 20;

    private readonly PayloadPool _pool = new(64 * MiB);
    private readonly PayloadRoom _room;

    public MessageMemoryTests() => _room = new PayloadRoom(_pool, 16 * MiB);

    /// <summary>Others have the rest of the room. Without them it is answered, and all is given back either way.</summary>
    [Theory]
    [InlineData("JSON")]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("binary")]
    [InlineData("raw")]
    [InlineData("chunks")]
    public async Task Rest_NoRoomForABody_IsRefusedWith429AndAnsweredLater(string form)
    {
        await using var host = await RestHost.StartAsync(room: _room);
        host.Api.AnswerWith("FP32", [1], new byte[4]);
        host.Api.Metadata = new ModelMetadataResponse { Name = "m", Inputs = { new ModelMetadataResponse.Types.TensorMetadata { Name = "IN", Datatype = "INT8", Shape = { -1 } } } };
        var held = Held((15 * MiB) + (512 << 10));

        var refused = await PostAsync(host, form);

        Assert.Equal((429, "1"), (refused.Status, refused.Header("Retry-After")));
        Assert.Contains("large messages take nearly all of the 16 MiB", refused.Error, StringComparison.Ordinal);
        Assert.NotEmpty(host.Api.Unreadable);
        Assert.Equal(held.Sum(static array => (long)array.Length), _pool.RentedBytes);
        held.ForEach(_room.Return);
        Assert.Equal(200, (await PostAsync(host, form)).Status);
        Assert.Equal(0, _pool.RentedBytes);
    }

    [Theory]
    [InlineData(GrpcTestServer.Infer, null)]
    [InlineData(GrpcTestServer.Infer, "gzip")]
    [InlineData(GrpcTestServer.Infer, "deflate")]
    [InlineData(GrpcTestServer.StreamInfer, null)]
    [InlineData(GrpcTestServer.StreamInfer, "gzip")]
    public async Task Grpc_NoRoomForAMessage_IsExhaustedWithAHintAndAnsweredLater(string path, string? encoding)
    {
        await using var server = await GrpcTestServer.StartAsync(room: _room);
        var message = GrpcTestServer.Request(new byte[1_500_000]);
        var frame = encoding is null ? GrpcTestReply.Frame(message) : GrpcTestReply.Frame(CompressionTests.Compress(message, encoding), compressed: true);
        (string, string)[] headers = encoding is null ? [] : [("grpc-encoding", encoding)];
        var held = Held((15 * MiB) + (512 << 10));

        var refused = await server.CallAsync(path, frame, headers);

        Assert.Equal((StatusCode.ResourceExhausted, "1000"), (refused.Status, (refused.TrailersOnly ? refused.Headers : refused.Trailers)["grpc-retry-pushback-ms"]));
        await server.FinishedAsync();
        Assert.Equal(held.Sum(static array => (long)array.Length), _pool.RentedBytes);
        held.ForEach(_room.Return);
        Assert.Equal(StatusCode.Ok, (await server.CallAsync(path, frame, headers)).Status);
        await server.FinishedAsync();
        Assert.Equal(0, _pool.RentedBytes);
        Assert.Empty(server.Logs.Problems);
    }

    /// <summary>What it has already counts beside what it would move to, so that it fits never.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("gzip")]
    public async Task Grpc_MessageThatNeverFits_IsRefusedWithoutAHint(string? encoding)
    {
        await using var server = await GrpcTestServer.StartAsync(room: _room);
        var message = GrpcTestServer.Request(new byte[12_000_000]);
        var frame = encoding is null ? GrpcTestReply.Frame(message) : GrpcTestReply.Frame(CompressionTests.Compress(message, encoding), compressed: true);
        (string, string)[] headers = encoding is null ? [] : [("grpc-encoding", encoding)];

        var refused = await server.CallAsync(GrpcTestServer.Infer, frame, headers);

        var ends = refused.TrailersOnly ? refused.Headers : refused.Trailers;
        Assert.Equal(StatusCode.ResourceExhausted, refused.Status);
        Assert.DoesNotContain("grpc-retry-pushback-ms", ends.Keys);
        await server.FinishedAsync();
        Assert.Equal(0, _pool.RentedBytes);
    }

    /// <summary>Each has sent a little more than is taken on its word alone.</summary>
    [Fact]
    public async Task Grpc_ManySlowUploads_AreRefusedBeyondTheRoomAndSmallRequestsAreAnswered()
    {
        await using var server = await GrpcTestServer.StartAsync(room: new PayloadRoom(_pool, 20 * MiB));
        var frame = GrpcTestReply.Frame(GrpcTestServer.Request(new byte[(8 * MiB) - 100]));
        var slow = new List<(DuplexContent Body, Task<GrpcTestReply> Reply)>();
        foreach (var bytes in (long[])[8 * MiB, 16 * MiB])
        {
            var body = new DuplexContent();
            slow.Add((body, server.CallAsync(GrpcTestServer.Infer, body)));
            await body.WriteAsync(frame[..(MiB + 1000)]);
            await ReachAsync(bytes - 4096);
        }

        var refused = await server.CallAsync(GrpcTestServer.Infer, frame);
        var small = await server.CallAsync(GrpcTestServer.Infer, GrpcTestReply.Frame(GrpcTestServer.Request(new byte[100_000])));
        foreach (var (body, _) in slow)
        {
            await body.WriteAsync(frame[(MiB + 1000)..]);
            body.Complete();
        }

        Assert.Equal((StatusCode.ResourceExhausted, StatusCode.Ok), (refused.Status, small.Status));
        foreach (var (_, reply) in slow)
        {
            Assert.Equal(StatusCode.Ok, (await reply).Status);
        }
    }

    /// <summary>The library, which would take a message whose prefix is not whole yet, does not count.</summary>
    [Fact]
    public async Task Grpc_PrefixInPieces_IsCountedAllTheSame()
    {
        await using var server = await GrpcTestServer.StartAsync(room: _room);
        var held = Held(16 * MiB);
        var frame = GrpcTestReply.Frame(GrpcTestServer.Request(new byte[1_500_000]));
        using var body = new DuplexContent();
        var pending = server.CallAsync(GrpcTestServer.Infer, body);
        await body.WriteAsync(frame[..3]);

        // No more than shows where the message's tensor begins: the call may end before a longer piece is sent.
        await body.WriteAsync(frame[3..1000]);

        Assert.Equal(StatusCode.ResourceExhausted, (await pending).Status);
        body.Complete();
        held.ForEach(_room.Return);
    }

    [Fact]
    public async Task Grpc_LargeMessageOfAnUnknownEncoding_IsRefusedBeforeItIsRead()
    {
        await using var server = await GrpcTestServer.StartAsync(room: _room);

        var reply = await server.CallAsync(GrpcTestServer.Infer, GrpcTestReply.Frame(new byte[2 * MiB], compressed: true), ("grpc-encoding", "snappy"));

        Assert.Equal(StatusCode.Unimplemented, reply.Status);
        Assert.Contains("a request message is compressed, and grpc-encoding is 'snappy'", reply.Message, StringComparison.Ordinal);
    }

    /// <summary>Messages that the library inflates: those of gRPC-Web, and of methods beside inference.</summary>
    [Fact]
    public void Provider_InflatesBeyondTheRoom_IsExhaustedWithAHintAndGivesBackWhatItTook()
    {
        var held = Held(15 * MiB);
        var provider = new CheckedCompressionProvider("gzip", 256 * MiB, _room);
        using (var stream = provider.CreateDecompressionStream(new MemoryStream(CompressionTests.Compress(new byte[64 * MiB], "gzip"))))
        {
            var refused = Assert.Throws<RpcException>(() => stream.CopyTo(Stream.Null));

            Assert.Equal(global::Grpc.Core.StatusCode.ResourceExhausted, refused.StatusCode);
            Assert.Equal("1000", refused.Trailers.GetValue("grpc-retry-pushback-ms"));
            Assert.InRange(_pool.RentedBytes, (15 * MiB) + 1, 16 * MiB);
        }

        Assert.Equal(15 * MiB, _pool.RentedBytes);
        held.ForEach(_room.Return);
    }

    /// <summary>Arrays of powers of two that take so many bytes together.</summary>
    private List<byte[]> Held(int bytes)
    {
        var held = new List<byte[]>();
        for (var size = 16 * MiB; bytes > 0; size /= 2)
        {
            if (size <= bytes)
            {
                held.Add(_room.Rent(size));
                bytes -= size;
            }
        }

        return held;
    }

    private async Task ReachAsync(long bytes)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (_pool.RentedBytes < bytes)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static Task<Answer> PostAsync(RestHost host, string form)
    {
        const int length = 1_500_000;
        var json = Encoding.UTF8.GetBytes("""{"inputs":[{"name":"IN","shape":[1],"datatype":"INT8","data":[1]}]""" + new string(' ', length) + "}");
        const string head = """{"inputs":[{"name":"IN","shape":[1500000],"datatype":"INT8"}]}""";
        return form switch
        {
            "JSON" => host.PostAsync(RestHost.InferPath, json),
            "gzip" => host.PostAsync(RestHost.InferPath, CompressionTests.Compress(json, "gzip"), ("Content-Encoding", "gzip")),
            "deflate" => host.PostAsync(RestHost.InferPath, CompressionTests.Compress(json, "deflate"), ("Content-Encoding", "deflate")),
            "binary" => host.InferBinaryAsync(head, new byte[length]),
            "raw" => host.PostAsync(RestHost.InferPath, new byte[length], ("Inference-Header-Content-Length", "0")),
            _ => host.SendAsync(new HttpRequestMessage(HttpMethod.Post, RestHost.InferPath) { Content = new StreamContent(new Unseekable(json)) }),
        };
    }

    /// <summary>Of a length that is not known, so that it is sent in chunks.</summary>
    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
