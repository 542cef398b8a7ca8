using System.IO.Compression;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Grpc;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class CompressionTests
{
    private static readonly byte[] Text = [.. Enumerable.Range(0, 100_000).Select(value => (byte)(value / 1000))];

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Request_Compressed_IsInflatedAndAnsweredPlainly(string encoding)
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(Compress(Text, encoding), compressed: true), ("grpc-encoding", encoding));

        Assert.Equal(StatusCode.Ok, reply.Status);
        Assert.False(Assert.Single(reply.Messages).Compressed);
        Assert.False(reply.Headers.ContainsKey("grpc-encoding"));
        Assert.Equal(Text, reply.Single);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Response_RequestCompressedAndAccepted_MirrorsTheEncoding(string encoding)
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(
            GrpcTestServer.Infer,
            Frame(Compress(Text, encoding), compressed: true),
            ("grpc-encoding", encoding),
            ("grpc-accept-encoding", "identity, deflate,gzip"));

        Assert.Equal(encoding, reply.Headers["grpc-encoding"]);
        Assert.True(Assert.Single(reply.Messages).Compressed);
        Assert.True(reply.Single.Length < Text.Length / 4);
        Assert.Equal(Text, Inflate(reply.Single, encoding));
    }

    [Fact]
    public async Task Response_RequestNotCompressed_StaysPlain()
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(Text), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip"));

        Assert.Equal((false, Text.Length), (Assert.Single(reply.Messages).Compressed, reply.Single.Length));
    }

    [Fact]
    public async Task Response_OtherEncodingAccepted_StaysPlain()
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(
            GrpcTestServer.Infer,
            Frame(Compress(Text, "gzip"), compressed: true),
            ("grpc-encoding", "gzip"),
            ("grpc-accept-encoding", "identity,deflate,gzip2"));

        Assert.False(Assert.Single(reply.Messages).Compressed);
        Assert.False(reply.Headers.ContainsKey("grpc-encoding"));
    }

    [Fact]
    public async Task Response_Incompressible_IsSentPlainWithFlagZero()
    {
        await using var server = await StartEchoAsync();
        var noise = Bytes(5000);

        var reply = await server.CallAsync(
            GrpcTestServer.Infer, Frame(Compress(noise, "gzip"), compressed: true), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip"));

        Assert.False(Assert.Single(reply.Messages).Compressed);
        Assert.Equal(noise, reply.Single);
    }

    [Fact]
    public async Task Request_UnknownEncoding_IsUnimplementedListingTheSupported()
    {
        await using var server = await StartEchoAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1]), ("grpc-encoding", "snappy"));

        Assert.Equal(StatusCode.Unimplemented, reply.Status);
        Assert.Contains("'snappy'", reply.Message, StringComparison.Ordinal);
        Assert.Equal("identity,gzip,deflate", reply.Headers["grpc-accept-encoding"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("identity")]
    public async Task Request_FlaggedWithoutEncoding_IsInternal(string? encoding)
    {
        await using var server = await StartEchoAsync();
        (string, string)[] headers = encoding is null ? [] : [("grpc-encoding", encoding)];

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1], compressed: true), headers);

        Assert.Equal(StatusCode.Internal, reply.Status);
        Assert.Contains("flagged as compressed", reply.Message, StringComparison.Ordinal);
        Assert.Empty(server.Logs.Problems);
    }

    [Theory]
    [InlineData("gzip", 0)]
    [InlineData("deflate", 0)]
    [InlineData("gzip", 1)]
    [InlineData("deflate", 1)]
    [InlineData("gzip", 2)]
    [InlineData("deflate", 2)]
    public async Task Request_DamagedData_IsInvalidArgument(string encoding, int damage)
    {
        await using var server = await StartEchoAsync();
        var data = Compress(Bytes(20_000), encoding);
        switch (damage)
        {
            case 0:
                data[0] ^= 0xFF;
                break;
            case 1:
                data = data[..(data.Length / 2)];
                break;
            default:
                data[^3] ^= 0xFF;
                break;
        }

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(data, compressed: true), ("grpc-encoding", encoding));

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
        Assert.Empty(server.Logs.Problems);
    }

    /// <summary>A zlib header may ask for a preset dictionary; nobody has agreed on one.</summary>
    [Fact]
    public async Task Request_CompressedWithADictionary_IsInvalidArgument()
    {
        await using var server = await StartEchoAsync();
        byte[] asksForOne = [0x78, 0x20, 1, 2, 3, 4, 0x03, 0x00, 0, 0, 0, 1];

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(asksForOne, compressed: true), ("grpc-encoding", "deflate"));

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
    }

    [Theory]
    [InlineData(1_000_000, StatusCode.Ok)]
    [InlineData(1_000_001, StatusCode.ResourceExhausted)]
    public async Task Request_InflatesBeyondTheLimit_IsRefusedThere(int length, StatusCode status)
    {
        await using var server = await StartEchoAsync(options => options.MaxReceiveMessageSize = 1_000_000);
        var bomb = Frame(Compress(new byte[length], "gzip"), compressed: true);

        var reply = await server.CallAsync(GrpcTestServer.Infer, bomb, ("grpc-encoding", "gzip"));

        Assert.Equal(status, reply.Status);
    }

    internal static byte[] Compress(byte[] bytes, string encoding)
    {
        using var target = new MemoryStream();
        using (Stream stream = encoding == "gzip" ? new GZipStream(target, CompressionMode.Compress) : new ZLibStream(target, CompressionMode.Compress))
        {
            stream.Write(bytes);
        }

        return target.ToArray();
    }

    private static byte[] Inflate(byte[] bytes, string encoding)
    {
        using var source = new MemoryStream(bytes);
        using Stream stream = encoding == "gzip" ? new GZipStream(source, CompressionMode.Decompress) : new ZLibStream(source, CompressionMode.Decompress);
        using var target = new MemoryStream();
        stream.CopyTo(target);
        return target.ToArray();
    }

    private static Task<GrpcTestServer> StartEchoAsync(Action<GrpcServerOptions>? options = null) =>
        GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo), options);
}
