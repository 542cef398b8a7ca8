using System.Net;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Protocol;
using Cluster.Unit.Gateway.Rest;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>Calls of one request: what is ours on top of the library.</summary>
public sealed class InferCallTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4080)]
    [InlineData(65_000)]
    [InlineData(66_000)]
    [InlineData(256 << 10)]
    [InlineData(600_000)]
    [InlineData(20_000_000)]
    public async Task Infer_AnyLength_ReturnsTheBytesWithStatusInTrailers(int length)
    {
        await using var server = await GrpcTestServer.StartAsync();
        var sent = Bytes(length);

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(GrpcTestServer.Request(sent)), ("te", "trailers"));

        Assert.Equal(HttpStatusCode.OK, reply.Http);
        Assert.Equal("application/grpc", reply.Headers["content-type"]);
        Assert.False(reply.TrailersOnly);
        Assert.Equal(StatusCode.Ok, reply.Status);
        Assert.True(sent.AsSpan().SequenceEqual(GrpcTestServer.RawOf(reply.Single)));
        Assert.Empty(server.Logs.Problems);
    }

    /// <summary>Also where its first bytes come in several pieces.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(600, 0)]
    [InlineData(600_000, 0)]
    [InlineData(600, 7)]
    [InlineData(600_000, 7)]
    [InlineData(5_000_000, 300)]
    public async Task Infer_RawTensor_IsPlacedAtAMultipleOf8(int length, int firstPiece)
    {
        var api = GrpcTestServer.Echo();
        var misplaced = -1L;
        api.Observe = message => misplaced = AddressOf(message.Span[^length..]) % 8;
        await using var server = await GrpcTestServer.StartAsync(api);
        var frame = Frame(GrpcTestServer.Request(Bytes(length)));
        var body = new DuplexContent();
        var pending = server.CallAsync(GrpcTestServer.Infer, body);

        await body.WriteAsync(frame[..firstPiece]);
        await body.WriteAsync(frame[firstPiece..]);
        body.Complete();

        Assert.Equal(StatusCode.Ok, (await pending).Status);
        Assert.Equal(0, misplaced);
    }

    [Fact]
    public async Task Infer_Failure_IsTrailersOnly()
    {
        await using var server = await GrpcTestServer.StartAsync(Failing(Failure.NotFound("no model 'größe' 100%\n")));

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([]));

        Assert.True(reply.TrailersOnly);
        Assert.Empty(reply.Messages);
        Assert.Equal((StatusCode.NotFound, "no model 'größe' 100%\n"), (reply.Status, reply.Message));
        Assert.False(reply.Headers.ContainsKey("grpc-status-details-bin"));
        Assert.False(reply.Headers.ContainsKey("grpc-retry-pushback-ms"));
    }

    [Fact]
    public async Task Infer_FailureWithARetryHint_HasPushbackAndRetryInfo()
    {
        var failure = Failure.Exhausted("queue full", TimeSpan.FromMilliseconds(1500.2));
        var api = Failing(failure);
        api.Error = new ServingException(failure);
        await using var server = await GrpcTestServer.StartAsync(api);

        foreach (var path in (string[])[GrpcTestServer.Infer, GrpcTestServer.Ready])
        {
            var reply = await server.CallAsync(path, Frame([]));

            Assert.Equal((StatusCode.ResourceExhausted, "queue full", "1501"), (reply.Status, reply.Message, reply.Headers["grpc-retry-pushback-ms"]));
            var status = Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(reply.Headers["grpc-status-details-bin"]));
            Assert.Equal((8, "queue full"), (status.Code, status.Message));
            Assert.Equal(TimeSpan.FromMilliseconds(1500.2), Assert.Single(status.Details).Unpack<Google.Rpc.RetryInfo>().RetryDelay.ToTimeSpan());
        }
    }

    [Fact]
    public async Task Infer_LongMessageOfFailure_StaysWithinWhatClientsTake()
    {
        await using var server = await GrpcTestServer.StartAsync(Failing(Failure.InvalidArgument(new string('x', 1023) + "😀" + new string('x', 100_000))));

        Assert.Equal(new string('x', 1023) + "…", (await server.CallAsync(GrpcTestServer.Infer, Frame([]))).Message);
    }

    [Theory]
    [InlineData(GrpcTestServer.Infer)]
    [InlineData(GrpcTestServer.Ready)]
    public async Task Call_UnexpectedException_IsLoggedAndAnsweredWithoutItsText(string path)
    {
        var api = new FakeServingApi { Error = new InvalidOperationException("the secret"), Infer = static (_, _, _) => throw new InvalidOperationException("the secret") };
        await using var server = await GrpcTestServer.StartAsync(api);

        var reply = await server.CallAsync(path, Frame([]));

        Assert.Equal((StatusCode.Internal, "internal error"), (reply.Status, reply.Message));
        var entry = Assert.Single(server.Logs.Entries, entry => entry.Level >= LogLevel.Warning);
        Assert.Equal((3000, "the secret"), (entry.Id.Id, entry.Exception?.Message));
    }

    [Fact]
    public async Task Infer_CompletedOnAForeignThread_IsAnsweredFromThePool()
    {
        var called = new TaskCompletionSource();
        var answers = new TaskCompletionSource<InferReply>();
        var api = new FakeServingApi
        {
            Infer = (_, _, _) =>
            {
                called.SetResult();
                return new ValueTask<InferReply>(answers.Task);
            },
        };
        await using var server = await GrpcTestServer.StartAsync(api);
        var pending = server.CallAsync(GrpcTestServer.Infer, Frame([]));
        await called.Task.WaitAsync(GrpcTestServer.Patience);

        var thread = new Thread(() => answers.SetResult(GrpcTestServer.Answer(ByteString.CopyFrom(9))));
        thread.Start();

        Assert.Equal([9], GrpcTestServer.RawOf((await pending).Single));
        Assert.True(thread.Join(GrpcTestServer.Patience));
    }

    [Fact]
    public async Task Call_MalformedProtobuf_IsInvalidArgumentNamingTheType()
    {
        await using var server = await GrpcTestServer.StartAsync();

        var typed = await server.CallAsync(GrpcTestServer.Ready, Frame([0x0A, 0x7F, 1]));
        var raw = await server.CallAsync(GrpcTestServer.Infer, Frame([0x0A, 0x7F, 1]));

        Assert.Equal(StatusCode.InvalidArgument, typed.Status);
        Assert.Contains("inference.ModelReadyRequest", typed.Message, StringComparison.Ordinal);
        Assert.Equal(StatusCode.InvalidArgument, raw.Status);
        Assert.Contains("ModelInferRequest", raw.Message, StringComparison.Ordinal);
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Infer_NoMessageOrTwo_IsUnimplemented()
    {
        await using var server = await GrpcTestServer.StartAsync();

        var none = await server.CallAsync(GrpcTestServer.Infer, []);
        var two = await server.CallAsync(GrpcTestServer.Infer, [.. Frame([1]), .. Frame([2])]);

        Assert.Equal((StatusCode.Unimplemented, $"{GrpcTestServer.Infer} takes one request message, none was sent"), (none.Status, none.Message));
        Assert.Equal((StatusCode.Unimplemented, $"{GrpcTestServer.Infer} takes one request message, more were sent"), (two.Status, two.Message));
    }

    /// <summary>The server logs no client's mistake as an error, even where the library does.</summary>
    [Theory]
    [InlineData(new byte[] { 0, 0, 0 }, StatusCode.Internal)]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, StatusCode.Internal)]
    [InlineData(new byte[] { 1, 0, 0, 0, 1, 1 }, StatusCode.Internal)]
    [InlineData(new byte[] { 2, 0, 0, 0, 0 }, StatusCode.InvalidArgument)]
    [InlineData(new byte[] { 0, 255, 255, 255, 255 }, StatusCode.ResourceExhausted)]
    [InlineData(new byte[] { 0, 0, 2, 0, 0, 1, 2, 3 }, StatusCode.Internal)]
    public async Task Infer_BrokenFraming_IsTheClientsMistake(byte[] body, StatusCode expected)
    {
        await using var server = await GrpcTestServer.StartAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, body);
        await server.CallAsync(GrpcTestServer.Ready, body);

        Assert.Equal(expected, reply.Status);
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Infer_AnnouncedAboveTheLimit_IsRefusedWithoutReadingOn()
    {
        await using var server = await GrpcTestServer.StartAsync(maxMessage: 1000);
        var exact = GrpcTestServer.Request(Bytes(1000 - (GrpcTestServer.Request(Bytes(900)).Length - 900)));
        Assert.Equal(1000, exact.Length);
        Assert.Equal(StatusCode.Ok, (await server.CallAsync(GrpcTestServer.Infer, Frame(exact))).Status);
        var body = new DuplexContent();
        var pending = server.CallAsync(GrpcTestServer.Infer, body);

        await body.WriteAsync([0, 0, 0, 3, 233]);

        var refused = await pending;
        Assert.Equal((StatusCode.ResourceExhausted, $"{GrpcTestServer.Infer}: a request message of 1001 bytes exceeds the limit of 1000 bytes"), (refused.Status, refused.Message));
    }

    /// <summary>Parsed, a map of names takes many times its bytes: only messages that stay bytes may be large.</summary>
    [Fact]
    public async Task Call_TypedRequestAbove4MiB_IsRefusedBeforeItIsRead()
    {
        await using var server = await GrpcTestServer.StartAsync();
        var body = new DuplexContent();
        var large = server.CallAsync(GrpcTestServer.Ready, body);
        await body.WriteAsync(Frame(new ModelReadyRequest { Name = new string('a', 4 << 20) })[..5]);

        var small = await server.CallAsync(GrpcTestServer.Ready, Frame(new ModelReadyRequest { Name = new string('a', 3 << 20) }));

        Assert.Equal(StatusCode.ResourceExhausted, (await large).Status);
        Assert.Equal(StatusCode.Ok, small.Status);
    }

    /// <summary>Kestrel's own limits, here far below what the calls need, are lifted for gRPC alone.</summary>
    [Fact]
    public async Task Call_BodyBeyondKestrelsLimits_IsServed()
    {
        await using var server = await GrpcTestServer.StartAsync(kestrel: limits =>
        {
            limits.MaxRequestBodySize = 1000;
            limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 1 << 30, gracePeriod: TimeSpan.FromSeconds(1.1));
        });
        var sent = Bytes(5000);
        var requests = new Dictionary<string, byte[]>
        {
            [GrpcTestServer.Infer] = Frame(GrpcTestServer.Request(sent)),
            [GrpcTestServer.Ready] = Frame(new ModelReadyRequest { Name = new string('a', 5000) }),
        };
        var calls = requests.Keys.Select(path => (Path: path, Body: new DuplexContent())).ToArray();
        var pending = calls.Select(call => server.CallAsync(call.Path, call.Body)).ToArray();
        foreach (var (path, body) in calls)
        {
            await body.WriteAsync(requests[path][..2000]);
        }

        // That the limits are in force, and that the time is over, is what the end of a request that is not gRPC tells.
        using var client = new HttpClient();
        var slow = new DuplexContent();
        var plain = client.PostAsync(new Uri(server.Http1, GrpcTestServer.Plain), slow);
        await slow.WriteAsync([0]);
        await server.FinishedAsync();
        Assert.All(pending, call => Assert.False(call.IsCompleted));
        slow.Complete();
        await Record.ExceptionAsync(() => plain);
        foreach (var (path, body) in calls)
        {
            await body.WriteAsync(requests[path][2000..]);
            body.Complete();
        }

        var replies = await Task.WhenAll(pending);
        Assert.Equal(sent, GrpcTestServer.RawOf(replies[0].Single));
        Assert.Equal(StatusCode.Ok, replies[1].Status);
    }

    [Fact]
    public async Task Call_UnknownOrUnofferedMethod_IsUnimplemented()
    {
        await using var server = await GrpcTestServer.StartAsync();

        var unknown = await server.CallAsync(GrpcTestServer.Service + "Nope", Frame([]));
        var service = await server.CallAsync("/no.Such/Method", Frame([]));
        var unoffered = await server.CallAsync(GrpcTestServer.Service + "TraceSetting", Frame([]));

        Assert.Equal((StatusCode.Unimplemented, StatusCode.Unimplemented, StatusCode.Unimplemented), (unknown.Status, service.Status, unoffered.Status));
        Assert.EndsWith("is not implemented: trace and log settings are the operator's here, not the clients'", unoffered.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_NotGrpc_IsRefusedByHttp()
    {
        await using var server = await GrpcTestServer.StartAsync();
        using var body = new ByteArrayContent(Frame([]));
        body.Headers.TryAddWithoutValidation("content-type", "application/json");

        using var response = await server.SendAsync(GrpcTestServer.Infer, body, default);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    private static FakeServingApi Failing(Failure failure) => new() { Infer = (_, _, _) => ValueTask.FromResult(InferReply.Failed(failure)) };

    private static unsafe long AddressOf(Span<byte> bytes) => (long)Unsafe.AsPointer(ref bytes[0]);
}
