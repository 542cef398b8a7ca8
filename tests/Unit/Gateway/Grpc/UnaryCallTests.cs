using System.Net;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Microsoft.Extensions.Logging;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class UnaryCallTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4091)]
    [InlineData(4092)]
    [InlineData(600_000)]
    [InlineData(20_000_000)]
    public async Task RawUnary_Echo_ReturnsTheBytesWithStatusInTrailers(int length)
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", Echo));
        var sent = Bytes(length);

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(sent), ("te", "trailers"));

        Assert.Equal(HttpStatusCode.OK, reply.Http);
        Assert.Equal("application/grpc", reply.Headers["content-type"]);
        Assert.False(reply.TrailersOnly);
        Assert.Equal(StatusCode.Ok, reply.Status);
        Assert.True(sent.AsSpan().SequenceEqual(reply.Single));
        Assert.Empty(server.Logs.Problems);
    }

    /// <summary>Parsed, a map of names takes many times its bytes: only messages that stay bytes may be large.</summary>
    [Fact]
    public async Task Unary_TypedRequestAbove4MiB_IsRefusedBeforeItIsRead()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.Unary(
            "ModelReady", ModelReadyRequest.Parser, (_, request) => ValueTask.FromResult(new ModelReadyResponse { Ready = request.Name.Length > 0 })));

        var large = await server.CallAsync(GrpcTestServer.Ready, Frame(new ModelReadyRequest { Name = new string('a', 5 << 20) }));
        var small = await server.CallAsync(GrpcTestServer.Ready, Frame(new ModelReadyRequest { Name = new string('a', 3 << 20) }));

        Assert.Equal(StatusCode.ResourceExhausted, large.Status);
        Assert.Equal(StatusCode.Ok, small.Status);
    }

    [Fact]
    public async Task RawUnary_FailureBeforeAnyMessage_IsTrailersOnly()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", (_, request) =>
        {
            request.Dispose();
            return ValueTask.FromResult<GrpcReply>(Failure.NotFound("no model 'größe' 100%\n"));
        }));

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1]));

        Assert.True(reply.TrailersOnly);
        Assert.Empty(reply.Messages);
        Assert.Equal(StatusCode.NotFound, reply.Status);
        Assert.Equal("no model 'gr%C3%B6%C3%9Fe' 100%25%0A", reply.Headers["grpc-message"]);
        Assert.False(reply.Headers.ContainsKey("grpc-status-details-bin"));
    }

    [Fact]
    public async Task Unary_Typed_ParsesAndSerializes()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.Unary(
            "ModelReady", ModelReadyRequest.Parser, (_, request) => ValueTask.FromResult(new ModelReadyResponse { Ready = request.Name == "resnet" })));

        var reply = await server.CallAsync(GrpcTestServer.Ready, Frame(new ModelReadyRequest { Name = "resnet" }));

        Assert.Equal(StatusCode.Ok, reply.Status);
        Assert.True(ModelReadyResponse.Parser.ParseFrom(reply.Single).Ready);
    }

    [Fact]
    public async Task Unary_MalformedProtobuf_IsInvalidArgumentNamingTheType()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.Unary(
            "ModelReady", ModelReadyRequest.Parser, (_, _) => ValueTask.FromResult(new ModelReadyResponse())));

        var reply = await server.CallAsync(GrpcTestServer.Ready, Frame([0x0A, 0x7F, 1]));

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
        Assert.Contains("inference.ModelReadyRequest", reply.Message, StringComparison.Ordinal);
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Unary_ServingException_BecomesItsFailure()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.Unary<ModelReadyRequest, ModelReadyResponse>(
            "ModelReady", ModelReadyRequest.Parser, (_, _) => throw new ServingException(new Failure(StatusCode.PermissionDenied, "not yours"))));

        var reply = await server.CallAsync(GrpcTestServer.Ready, Frame([]));

        Assert.Equal((StatusCode.PermissionDenied, "not yours"), (reply.Status, reply.Message));
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task RawUnary_UnexpectedException_IsLoggedAndAnsweredWithoutItsText()
    {
        await using var server = await GrpcTestServer.StartAsync(
            service => service.RawUnary("ModelInfer", (_, _) => throw new InvalidOperationException("the secret")));

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1]));

        Assert.Equal((StatusCode.Internal, "internal error"), (reply.Status, reply.Message));
        var entry = Assert.Single(server.Logs.Entries, entry => entry.Level == LogLevel.Error);
        Assert.Equal(3000, entry.EventId);
        Assert.Equal("the secret", entry.Exception?.Message);
    }

    [Fact]
    public async Task RawUnary_CompletedOnAForeignThread_IsAnsweredFromThePool()
    {
        var answers = new TaskCompletionSource<GrpcReply>();
        var called = new TaskCompletionSource();
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", (_, request) =>
        {
            request.Dispose();
            called.SetResult();
            return new ValueTask<GrpcReply>(answers.Task);
        }));
        var pending = server.CallAsync(GrpcTestServer.Infer, Frame([1]));
        await called.Task.WaitAsync(GrpcTestServer.Patience);

        var thread = new Thread(() => answers.SetResult(PayloadBuffer.CopyOf([9])));
        thread.Start();

        Assert.Equal([9], (await pending).Single);
        Assert.True(thread.Join(GrpcTestServer.Patience));
    }

    [Fact]
    public async Task Context_TellsMetadataPeerAndMethod()
    {
        (string? Metadata, string Peer, string Method, bool Deadline) seen = default;
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", (call, request) =>
        {
            seen = (call.Metadata["x-tenant"], call.Peer, call.Method, call.Deadline is not null || call.Remaining is not null);
            return Echo(call, request);
        }));

        await server.CallAsync(GrpcTestServer.Infer, Frame([1]), ("x-tenant", "blue"));

        Assert.Equal("blue", seen.Metadata);
        Assert.StartsWith("ipv4:127.0.0.1:", seen.Peer, StringComparison.Ordinal);
        Assert.Equal(GrpcTestServer.Infer, seen.Method);
        Assert.False(seen.Deadline);
    }

    internal static ValueTask<GrpcReply> Echo(GrpcCallContext call, PayloadBuffer request) => ValueTask.FromResult<GrpcReply>(request);
}
