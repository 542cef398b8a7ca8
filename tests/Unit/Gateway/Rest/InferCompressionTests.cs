using System.IO.Compression;
using System.Text;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Compressed requests and answers.</summary>
public sealed class InferCompressionTests : RestServer
{
    private const string OneInput = """{"inputs":[{"name":"IN","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""";
    private const string JsonInput = """{"inputs":[{"name":"IN","shape":[1],"datatype":"INT8","data":[1]}]""";

    private static readonly byte[] EightBytes = [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("identity")]
    [InlineData("GZIP")]
    public async Task Infer_CompressedBody_IsRead(string encoding)
    {
        byte[] plain = [.. Encoding.UTF8.GetBytes(OneInput), .. EightBytes];
        var answer = await Host.PostAsync(
            RestHost.InferPath, Compress(plain, encoding), ("Content-Encoding", encoding), ("Inference-Header-Content-Length", $"{OneInput.Length}"));

        Assert.Equal(200, answer.Status);
        Assert.Equal(EightBytes, Host.Api.LastRequest!.RawInputContents[0]);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Infer_DamagedCompressedBody_IsRefused(string encoding)
    {
        var whole = Compress(Encoding.UTF8.GetBytes(OneInput), encoding);
        foreach (var body in new[] { EightBytes, whole[..^6], whole[..(whole.Length / 2)] })
        {
            var answer = await Host.PostAsync(RestHost.InferPath, body, ("Content-Encoding", encoding));

            Assert.Equal(400, answer.Status);
            Assert.NotEmpty(answer.Error);
        }
    }

    /// <summary>A zlib header may ask for a preset dictionary; the protocol defines none.</summary>
    [Fact]
    public async Task Infer_CompressedWithADictionary_IsRefused()
    {
        var answer = await Host.PostAsync(RestHost.InferPath, [0x78, 0x20, 1, 2, 3, 4, 0x03, 0x00, 0, 0, 0, 1], ("Content-Encoding", "deflate"));

        Assert.Equal(400, answer.Status);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip, gzip")]
    [InlineData("zstd")]
    public async Task Infer_UnknownContentEncoding_Is415(string encoding)
    {
        var answer = await Host.PostAsync(RestHost.InferPath, JsonInput + "}", ("Content-Encoding", encoding));

        Assert.Equal(415, answer.Status);
        Assert.Contains("gzip", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, deflate", "gzip")]
    [InlineData("deflate", "deflate")]
    [InlineData("gzip;q=0.5, deflate", "deflate")]
    [InlineData("gzip;q=0, deflate;q=0.1", "deflate")]
    [InlineData("gzip;q=0", null)]
    [InlineData("br", null)]
    [InlineData("*", null)]
    [InlineData("identity", null)]
    [InlineData("", null)]
    [InlineData("GZIP", "gzip")]
    [InlineData("x-gzip", null)]
    [InlineData("gzip;q=0.5, deflate;q=0.5", "gzip")]
    [InlineData("deflate;q=0.999, gzip;q=0.998", "deflate")]
    [InlineData("gzip;q=0.001", "gzip")]
    [InlineData("identity;q=1, gzip;q=0.5", "gzip")]
    [InlineData("identity;q=0", null)]
    [InlineData("identity;q=0, deflate", "deflate")]
    [InlineData("*;q=0", null)]
    [InlineData("*;q=0, gzip", "gzip")]
    [InlineData("*, gzip;q=0", null)]
    [InlineData(";;;", null)]
    public async Task Infer_AcceptEncoding_IsHonouredForAnswersOnly(string accept, string? expected)
    {
        byte[] raw = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i >> 8))];
        Host.Api.AnswerWith("UINT8", [raw.Length], raw);
        foreach (var binary in new[] { false, true })
        {
            var json = JsonInput + (binary ? ""","parameters":{"binary_data_output":true}}""" : "}");

            var answer = await Host.InferAsync(json, ("Accept-Encoding", accept));

            Assert.Equal(expected, answer.Header("Content-Encoding"));
            var plain = answer with { Body = Decompress(answer.Body, expected) };
            if (binary)
            {
                Assert.True(plain.Split().Tail.AsSpan().SequenceEqual(raw));
            }
            else
            {
                Assert.Equal(raw, plain.Json.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(value => value.GetByte()));
            }
        }

        Assert.Null((await Host.InferAsync("{", ("Accept-Encoding", accept))).Header("Content-Encoding"));
    }

    private static byte[] Compress(byte[] plain, string encoding)
    {
        using var target = new MemoryStream();
        using (Stream stream = encoding.ToUpperInvariant() switch
        {
            "GZIP" => new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true),
            "DEFLATE" => new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true),
            _ => target,
        })
        {
            stream.Write(plain);
        }

        return target.ToArray();
    }

    private static byte[] Decompress(byte[] body, string? encoding)
    {
        using var source = new MemoryStream(body);
        using Stream stream = encoding switch
        {
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            "deflate" => new ZLibStream(source, CompressionMode.Decompress),
            _ => source,
        };
        using var target = new MemoryStream();
        stream.CopyTo(target);
        return target.ToArray();
    }
}
