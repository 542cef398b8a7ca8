using System.IO.Compression;
using Cluster.Contracts.Errors;
using Google.Protobuf;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class CompressionTests
{
    private static readonly byte[] Text = [.. Enumerable.Range(0, 600_000).Select(value => (byte)(value / 1000))];

    [Theory]
    [InlineData("gzip", false)]
    [InlineData("deflate", false)]
    [InlineData("gzip", true)]
    [InlineData("deflate", true)]
    public async Task Request_Compressed_IsAnsweredCompressedWhereTheClientAcceptsIt(string encoding, bool accepts)
    {
        await using var server = await GrpcTestServer.StartAsync();
        (string, string)[] headers = [("grpc-encoding", encoding), ("grpc-accept-encoding", accepts ? "identity, deflate,gzip" : "identity,gzip2")];

        foreach (var path in (string[])[GrpcTestServer.Infer, GrpcTestServer.StreamInfer])
        {
            var reply = await server.CallAsync(path, Frame(Compress(GrpcTestServer.Request(Text), encoding), compressed: true), headers);

            Assert.Equal(StatusCode.Ok, reply.Status);
            Assert.Equal(accepts, Assert.Single(reply.Messages).Compressed);
            Assert.Equal(accepts ? encoding : null, reply.Headers.GetValueOrDefault("grpc-encoding"));
            var answer = accepts ? Inflate(reply.Single, encoding) : reply.Single;
            Assert.True(answer.AsSpan().IndexOf(Text) > 0);
            Assert.True(!accepts || reply.Single.Length < Text.Length / 4);
        }

        var typed = await server.CallAsync(GrpcTestServer.Service + "ServerLive", Frame(Compress([], encoding), compressed: true), headers);
        Assert.Equal((StatusCode.Ok, accepts), (typed.Status, Assert.Single(typed.Messages).Compressed));
    }

    [Fact]
    public async Task Request_NotCompressed_IsAnsweredPlainly()
    {
        await using var server = await GrpcTestServer.StartAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(GrpcTestServer.Request(Text)), ("grpc-accept-encoding", "identity,deflate,gzip"));

        Assert.False(Assert.Single(reply.Messages).Compressed);
        Assert.False(reply.Headers.ContainsKey("grpc-encoding"));
    }

    [Fact]
    public async Task Request_UnknownEncoding_IsUnimplementedListingTheSupported()
    {
        await using var server = await GrpcTestServer.StartAsync();

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1], compressed: true), ("grpc-encoding", "snappy"));

        Assert.Equal(StatusCode.Unimplemented, reply.Status);
        Assert.Contains("'snappy'", reply.Message, StringComparison.Ordinal);
        Assert.Equal(["deflate", "gzip", "identity"], reply.Headers["grpc-accept-encoding"].Split(',').Order());
    }

    /// <summary>Whole; cut at ten places; garbage after it: OK for the first alone.</summary>
    [Theory]
    [InlineData("gzip", GrpcTestServer.Infer)]
    [InlineData("deflate", GrpcTestServer.Infer)]
    [InlineData("gzip", GrpcTestServer.StreamInfer)]
    [InlineData("deflate", GrpcTestServer.StreamInfer)]
    [InlineData("gzip", GrpcTestServer.Ready)]
    [InlineData("deflate", GrpcTestServer.Ready)]
    public async Task Request_CutOrTooLong_IsInvalidArgument(string encoding, string path)
    {
        await using var server = await GrpcTestServer.StartAsync();
        var plain = path == GrpcTestServer.Ready
            ? new Contracts.Protocol.ModelReadyRequest { Name = new string('a', 100), Version = Convert.ToBase64String(Bytes(20_000)) }.ToByteArray()
            : GrpcTestServer.Request(Bytes(36_000));
        var whole = Compress(plain, encoding);
        byte[][] bad =
        [
            .. ((int[])[1, 3, 4, 8, 9, 1_003, whole.Length / 2, whole.Length - 11, whole.Length - 2, whole.Length - 1]).Select(missing => whole[..^missing]),
            [.. whole, 0],
            [.. whole, .. Bytes(5_000)],
            [.. whole, .. whole],
            [.. whole[..^3], (byte)~whole[^3], .. whole[^2..]],
            [(byte)~whole[0], .. whole[1..]],
        ];

        Assert.Equal(StatusCode.Ok, (await server.CallAsync(path, Frame(whole, compressed: true), ("grpc-encoding", encoding))).Status);
        foreach (var data in bad)
        {
            var reply = await server.CallAsync(path, Frame(data, compressed: true), ("grpc-encoding", encoding));

            Assert.Equal(StatusCode.InvalidArgument, reply.Status);
            Assert.StartsWith("a request message is not what grpc-encoding says: ", reply.Message, StringComparison.Ordinal);
        }

        Assert.Empty(server.Logs.Problems);
    }

    /// <summary>A zlib header may ask for a preset dictionary; none is agreed on.</summary>
    [Fact]
    public async Task Request_CompressedWithADictionary_IsInvalidArgument()
    {
        await using var server = await GrpcTestServer.StartAsync();
        byte[] asksForOne = [0x78, 0x20, 1, 2, 3, 4, 0x03, 0x00, 0, 0, 0, 1];

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame(asksForOne, compressed: true), ("grpc-encoding", "deflate"));

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
    }

    [Theory]
    [InlineData(GrpcTestServer.Infer, 1_000_000)]
    [InlineData(GrpcTestServer.Ready, 4 << 20)]
    public async Task Request_InflatesBeyondTheLimit_IsRefusedThere(string path, int limit)
    {
        await using var server = await GrpcTestServer.StartAsync(maxMessage: 1_000_000);
        byte[] Message(int length) => path == GrpcTestServer.Ready
            ? new Contracts.Protocol.ModelReadyRequest { Name = new string('a', length - 5) }.ToByteArray()
            : GrpcTestServer.Request(new byte[length - (GrpcTestServer.Request(new byte[900_000]).Length - 900_000)]);

        foreach (var over in (int[])[0, 1])
        {
            var message = Message(limit + over);
            Assert.Equal(limit + over, message.Length);
            var reply = await server.CallAsync(path, Frame(Compress(message, "gzip"), compressed: true), ("grpc-encoding", "gzip"));
            Assert.Equal(over == 0 ? StatusCode.Ok : StatusCode.ResourceExhausted, reply.Status);
        }
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
}
