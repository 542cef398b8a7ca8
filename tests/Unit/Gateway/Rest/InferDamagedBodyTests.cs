using System.Globalization;
using System.IO.Compression;
using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Rest;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>A body that is not whole is never taken for a smaller one.</summary>
public sealed class InferDamagedBodyTests : RestServer
{
    private const string BinaryHead = """{"inputs":[{"name":"IN","shape":[N],"datatype":"FP32"}]}""";
    private const int Cuts = 10;

    private static readonly string[] Encodings = ["identity", "gzip", "deflate"];
    private static readonly string[] Forms = ["JSON", "binary"];

    public static TheoryData<string, string> Compressed { get; } = new()
    {
        { "gzip", "JSON" }, { "gzip", "binary" }, { "deflate", "JSON" }, { "deflate", "binary" },
    };

    /// <summary>Of 12,000 random values: cut in tenths of the body, by 1,003 bytes and by one. Without the trailer of gzip (8 bytes) or zlib (4).</summary>
    [Fact]
    public async Task Infer_BodyWholeOrNot_IsAnsweredByThisTable()
    {
        var table = new StringBuilder("body              whole  cut at 0/10 .. 9/10                      -1003 -1   no trailer  garbage after\n");
        foreach (var encoding in Encodings)
        {
            foreach (var form in Forms)
            {
                var (plain, jsonLength) = Body(form, 12_000);
                var body = Compress(plain, encoding);
                table.Append(CultureInfo.InvariantCulture, $"{encoding,-9}{form,-9}{await StatusAsync(encoding, jsonLength, body)}    ");
                for (var cut = 0; cut < Cuts; cut++)
                {
                    table.Append(CultureInfo.InvariantCulture, $"{await StatusAsync(encoding, jsonLength, body[..(body.Length * cut / Cuts)])} ");
                }

                table.Append(CultureInfo.InvariantCulture, $" {await StatusAsync(encoding, jsonLength, body[..^1003])}   {await StatusAsync(encoding, jsonLength, body[..^1])}  ");
                table.Append(encoding == "identity" ? "-  " : await StatusAsync(encoding, jsonLength, body[..^(encoding == "gzip" ? 8 : 4)]));
                table.Append(CultureInfo.InvariantCulture, $"         {await StatusAsync(encoding, jsonLength, [.. body, 0x20, 0x1F, 0x8B])}\n");
            }
        }

        Assert.Equal(
            """
            body              whole  cut at 0/10 .. 9/10                      -1003 -1   no trailer  garbage after
            identity JSON     200    400 400 400 400 400 400 400 400 400 400  400   400  -           400
            identity binary   200    400 400 400 400 400 400 400 400 400 400  400   400  -           400
            gzip     JSON     200    400 400 400 400 400 400 400 400 400 400  400   400  400         400
            gzip     binary   200    400 400 400 400 400 400 400 400 400 400  400   400  400         400
            deflate  JSON     200    400 400 400 400 400 400 400 400 400 400  400   400  400         400
            deflate  binary   200    400 400 400 400 400 400 400 400 400 400  400   400  400         400

            """,
            table.ToString());
    }

    [Theory]
    [MemberData(nameof(Compressed))]
    public async Task Infer_CutAtAnyByteOrGoingOn_Is400(string encoding, string form)
    {
        var (plain, jsonLength) = Body(form, 3);
        var body = Compress(plain, encoding);
        Assert.Equal(200, await StatusAsync(encoding, jsonLength, body));
        for (var length = 0; length < body.Length; length++)
        {
            Assert.Equal(400, await StatusAsync(encoding, jsonLength, body[..length]));
        }

        byte[][] tails = [[0], [(byte)' '], [(byte)'\n'], [0x1F], body, body[^8..], new byte[8], new byte[70_000]];
        foreach (var tail in tails)
        {
            Assert.Equal(400, await StatusAsync(encoding, jsonLength, [.. body, .. tail]));
        }
    }

    /// <summary>Chunks of one byte, so that every boundary of the format meets one of HTTP.</summary>
    [Theory]
    [MemberData(nameof(Compressed))]
    public async Task Infer_ByteByByte_IsTheSame(string encoding, string form)
    {
        var (plain, jsonLength) = Body(form, 5);
        var body = Compress(plain, encoding);

        Assert.Equal(200, await StatusAsync(encoding, jsonLength, body, byteByByte: true));
        Assert.Equal(Body("binary", 5).Body[^20..], Host.Api.LastRequest!.RawInputContents[0].ToByteArray());
        Assert.Equal(400, await StatusAsync(encoding, jsonLength, body[..^1], byteByByte: true));
        Assert.Equal(400, await StatusAsync(encoding, jsonLength, [.. body, 0], byteByByte: true));
    }

    /// <summary>RFC 1952 lets a gzip file have several members; a request has one. The encoding deflate is zlib, never the bare format.</summary>
    [Fact]
    public async Task Infer_SeveralMembersOrBareDeflate_Is400()
    {
        var (plain, _) = Body("JSON", 3);
        var bare = new MemoryStream();
        await using (var deflater = new DeflateStream(bare, CompressionLevel.Fastest, leaveOpen: true))
        {
            await deflater.WriteAsync(plain);
        }

        Assert.Equal(400, await StatusAsync("gzip", null, [.. Compress(plain[..20], "gzip"), .. Compress(plain[20..], "gzip")]));
        Assert.Equal(400, await StatusAsync("deflate", null, bare.ToArray()));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Infer_LengthsAgainstTheInflatedBody_AreChecked(string encoding)
    {
        var (plain, jsonLength) = Body("binary", 2);
        var shortened = await PostAsync(encoding, jsonLength, Compress(plain[..^1], encoding));
        var longer = await PostAsync(encoding, jsonLength, Compress([.. plain, 0], encoding));
        var noJson = await PostAsync(encoding, plain.Length + 1, Compress(plain, encoding));

        Assert.Equal((400, "input 'IN' needs 8 bytes of binary data, but the body has 7 left for it"), (shortened.Status, shortened.Error));
        Assert.Equal(400, longer.Status);
        Assert.Contains("goes on after its last binary input", longer.Error, StringComparison.Ordinal);
        Assert.Equal(400, noJson.Status);
        Assert.Contains($"the body has only {plain.Length} bytes", noJson.Error, StringComparison.Ordinal);
    }

    /// <summary>The end is asked for twice: by the tensor that takes the rest, and by the check that nothing follows it.</summary>
    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Infer_LoneBytesInputWithoutSize_TakesTheRestOfAWholeBody(string encoding)
    {
        var head = """{"inputs":[{"name":"IN","shape":[1],"datatype":"BYTES"}]}"""u8.ToArray();
        var body = Compress([.. head, 2, 0, 0, 0, 0xFF, 0xD8], encoding);

        Assert.Equal(200, await StatusAsync(encoding, head.Length, body));
        Assert.Equal("02000000FFD8", Convert.ToHexString(Host.Api.LastRequest!.RawInputContents[0].Span));
        Assert.Equal(400, await StatusAsync(encoding, head.Length, body[..^1]));
        Assert.Equal(400, await StatusAsync(encoding, head.Length, [.. body, 0]));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Any_OtherCutBody_IsRefusedAndChangesNothing(string encoding)
    {
        Host.Api.Metadata.Inputs.Add(new Contracts.Protocol.ModelMetadataResponse.Types.TensorMetadata { Name = "IN", Datatype = "UINT8", Shape = { -1 } });
        var raw = Compress([1, 2, 3], encoding);
        Assert.Equal(200, await StatusAsync(encoding, 0, raw));
        Assert.Equal(400, await StatusAsync(encoding, 0, raw[..^1]));

        var load = Compress("""{"parameters":{"config":"{}"}}"""u8.ToArray(), encoding);
        foreach (var path in new[] { "/v2/repository/index", "/v2/repository/models/m/load", "/v2/repository/models/m/unload" })
        {
            foreach (var damaged in new[] { load[..^1], load[..^9], [.. load, 0] })
            {
                Assert.Equal(400, (await Host.PostAsync(path, damaged, ("Content-Encoding", encoding))).Status);
            }
        }

        Assert.Null(Host.Api.LastLoad);
        Assert.Null(Host.Api.LastUnload);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Read_BodyThatInflatesBeyondTheLimit_StopsThere(string encoding)
    {
        const int limit = 1 << 20;
        using var bomb = new MemoryStream(Compress(new byte[64 << 20], encoding));
        var context = new DefaultHttpContext { Request = { Body = bomb, Headers = { ContentEncoding = encoding } } };
        await using var body = BodyReader.Open(context, limit, PayloadRoom.Unlimited);

        var refused = await Assert.ThrowsAsync<ServingException>(() => body.ReadUpToAsync(long.MaxValue, CancellationToken.None).AsTask());

        Assert.Equal(StatusCode.ResourceExhausted, refused.Failure.Code);
        Assert.InRange(bomb.Position, 1, bomb.Length / 2);
    }

    private static (byte[] Body, int? JsonLength) Body(string form, int values)
    {
        var random = new Random(values);
        var data = Enumerable.Range(0, values).Select(_ => random.NextSingle()).ToArray();
        var head = BinaryHead.Replace("[N]", $"[{values}]", StringComparison.Ordinal);
        if (form == "JSON")
        {
            var numbers = string.Join(',', data.Select(value => value.ToString(CultureInfo.InvariantCulture)));
            return (Encoding.UTF8.GetBytes(head.Replace("}]", $",\"data\":[{numbers}]}}]", StringComparison.Ordinal)), null);
        }

        return ([.. Encoding.UTF8.GetBytes(head), .. System.Runtime.InteropServices.MemoryMarshal.AsBytes(data.AsSpan())], head.Length);
    }

    private static byte[] Compress(byte[] plain, string encoding)
    {
        using var target = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "gzip" => new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true),
            _ => target,
        })
        {
            stream.Write(plain);
        }

        return target.ToArray();
    }

    private async Task<int> StatusAsync(string encoding, int? jsonLength, byte[] body, bool byteByByte = false)
    {
        var answer = await PostAsync(encoding, jsonLength, body, byteByByte);
        Assert.True(answer.Status == 200 || answer.Error.Length > 0);
        return answer.Status;
    }

    private Task<Answer> PostAsync(string encoding, int? jsonLength, byte[] body, bool byteByByte = false)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, RestHost.InferPath)
        {
            Content = byteByByte ? new StreamContent(new OneByOne(body), bufferSize: 1) : new ByteArrayContent(body),
        };
        request.Headers.TransferEncodingChunked = byteByByte;
        request.Content.Headers.ContentEncoding.Add(encoding);
        if (jsonLength is { } length)
        {
            request.Headers.Add("Inference-Header-Content-Length", $"{length}");
        }

        return Host.SendAsync(request);
    }

    private sealed class OneByOne(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
