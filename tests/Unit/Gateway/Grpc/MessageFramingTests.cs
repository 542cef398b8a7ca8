using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Grpc;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class MessageFramingTests
{
    [Fact]
    public async Task Unary_NoMessage_IsUnimplemented()
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, []);

        Assert.Equal(StatusCode.Unimplemented, reply.Status);
        Assert.Contains("none was sent", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unary_TwoMessages_IsUnimplemented()
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, [.. Frame([1]), .. Frame([2])]);

        Assert.Equal(StatusCode.Unimplemented, reply.Status);
        Assert.Contains("more were sent", reply.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(50_000)]
    public async Task Unary_TruncatedMessage_IsInvalidArgument(int sent)
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(Bytes(60_000))[..sent]);

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
        Assert.Contains("ended", reply.Message, StringComparison.Ordinal);
        Assert.Empty(server.Logs.Problems);
    }

    [Fact]
    public async Task Unary_UnknownFlags_IsInvalidArgument()
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, [2, 0, 0, 0, 0]);

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
    }

    [Fact]
    public async Task Unary_AtTheLimit_IsServed()
    {
        await using var server = await StartEchoAsync(options => options.MaxReceiveMessageSize = 1000);

        Assert.Equal(StatusCode.Ok, (await server.CallAsync(GrpcTestServer.Infer, Frame(Bytes(1000)))).Status);
    }

    [Theory]
    [InlineData(1001u)]
    [InlineData(uint.MaxValue)]
    public async Task Unary_AnnouncedAboveTheLimit_IsRefusedWithoutReadingOn(uint announced)
    {
        await using var server = await StartEchoAsync(options => options.MaxReceiveMessageSize = 1000);
        var body = new DuplexContent();
        var pending = server.CallAsync(GrpcTestServer.Infer, body);

        await body.WriteAsync(Prefix(announced));
        var reply = await pending;

        Assert.Equal(StatusCode.ResourceExhausted, reply.Status);
        Assert.Contains($"{announced} bytes exceeds the limit of 1000 bytes", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unary_BodyAboveKestrelsDefault_IsServed()
    {
        await using var server = await StartEchoAsync();
        var sent = Bytes(40_000_000);

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(sent));

        Assert.True(sent.AsSpan().SequenceEqual(reply.Single));
    }

    [Fact]
    public async Task Unary_DribblingBody_IsPutTogether()
    {
        await using var server = await StartEchoAsync();
        var sent = Bytes(700);
        var frame = Frame(sent);
        var body = new DuplexContent();
        var pending = server.CallAsync(GrpcTestServer.Infer, body);

        await body.WriteAsync(frame[..2]);
        await body.WriteAsync(frame[2..5]);
        await body.WriteAsync(frame[5..400]);
        await body.WriteAsync(frame[400..]);
        body.Complete();

        Assert.Equal(sent, (await pending).Single);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(600_000)]
    public async Task Padding_ChosenFromTheFirstBytes_AlignsTheMessage(int length)
    {
        var offered = -1;
        var misalignment = -1L;
        var sent = Bytes(length);
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary(
            "ModelInfer",
            (call, request) =>
            {
                misalignment = AddressOf(request.Span) % 8;
                return UnaryCallTests.Echo(call, request);
            },
            first =>
            {
                offered = first.Length;
                Assert.True(sent.AsSpan(0, first.Length).SequenceEqual(first));
                return 3;
            }));

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(sent));

        Assert.Equal(sent, reply.Single);
        Assert.InRange(offered, Math.Min(length, 512), length);
        Assert.Equal(3, misalignment);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public async Task Start_LimitOutOfRange_IsRefused(int limit)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => StartEchoAsync(options => options.MaxReceiveMessageSize = limit));
        Assert.Contains($"MaxReceiveMessageSize is {limit}", failure.Message, StringComparison.Ordinal);
    }

    internal static byte[] Prefix(uint length)
    {
        var prefix = new byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), length);
        return prefix;
    }

    private static Task<GrpcTestServer> StartEchoAsync(Action<GrpcServerOptions>? options = null) =>
        GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo), options);

    private static unsafe long AddressOf(Span<byte> bytes) => (long)Unsafe.AsPointer(ref bytes[0]);
}
