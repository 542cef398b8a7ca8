using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Datatypes;

/// <summary>Tensors of many frames and buffers, compressed and not.</summary>
public sealed class LargeTensorTests(ServerFixture fixture) : ServerTests(fixture)
{
    private const int Small = 150_000;
    private const int Large = 5 << 20;

    public static TheoryData<string, string, int, string> Cases { get; } = CreateCases();

    public static TheoryData<string, string> Encodings { get; } = Cross(["python", "node"], ["gzip", "deflate"]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Infer_ManyElements_AnswersTheSameBytes(string protocol, string client, int elements, string compression)
    {
        var request = new Infer("big_fp32", Ramp(elements)) { BinaryOutput = true };
        var answer = protocol == "gRPC"
            ? InferAnswer.Of(await InferAsync(client, request.Raw(), new CallOptions { Compression = compression }))
            : InferAnswer.Of(await HttpAsync(client, request.Binary(Url) with { Compress = compression == "none" ? null : compression }));
        Assert.Equal(request.Inputs[0].Shape, answer.Output.Shape);
        Assert.True(request.Inputs[0].Data.AsSpan().SequenceEqual(answer.Output.Data));
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public async Task Infer_CompressedJson_AnswersCompressedAsAsked(string client, string encoding)
    {
        var request = new Infer("vector_fp32", Ramp(5_000));
        var call = request.Json(Url) with { Compress = encoding, Headers = [new("Accept-Encoding", encoding)] };
        var result = await HttpAsync(client, call);
        Assert.Equal(encoding, result.ContentEncoding);
        Assert.Equal(request.Inputs[0].Data, InferAnswer.Of(result).Output.Data);
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public async Task Infer_CompressedBinary_CountsTheJsonUncompressed(string client, string encoding)
    {
        var request = new Infer("vector_fp32", Ramp(5_000)) { BinaryOutput = true };
        var call = request.Binary(Url);
        call = call with { Compress = encoding, Headers = [.. call.Headers, new("Accept-Encoding", "gzip;q=0.5, deflate;q=0.4, br")] };
        var result = await HttpAsync(client, call);
        Assert.Equal("gzip", result.ContentEncoding);
        Assert.Equal(request.Inputs[0].Data, InferAnswer.Of(result).Output.Data);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Answers_OtherThanInference_AreNeverCompressed(string client)
    {
        KeyValuePair<string, string>[] headers = [new("Accept-Encoding", "gzip, deflate")];
        var metadata = await HttpAsync(client, new HttpCall("GET", Url + "/v2") { Headers = headers });
        Assert.Equal((200, ""), (metadata.Status, metadata.ContentEncoding));
        var error = await HttpAsync(client, new HttpCall("POST", Url + "/v2/models/nosuch/infer") { Headers = headers, Body = "{}"u8.ToArray() });
        Assert.Equal((404, ""), (error.Status, error.ContentEncoding));
        Assert.True(error.Json.TryGetProperty("error", out _));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_BodyThatIsNotWhatItsEncodingSays_IsRefused(string client)
    {
        var call = new Infer("vector_fp32", Ramp(4)).Json(Url) with { Headers = [new("Content-Encoding", "gzip")] };
        Assert.Equal("400", Failure(await HttpAsync(client, call)).Status);
        call = call with { Headers = [new("Content-Encoding", "br")] };
        var (status, message) = Failure(await HttpAsync(client, call));
        Assert.Equal("415", status);
        Assert.Contains("'br'", message, StringComparison.Ordinal);
    }

    /// <summary>Bits of all kinds, that compress badly; every NaN is one that JSON gives back.</summary>
    private static Tensor Ramp(int elements)
    {
        var tensor = Tensor.Of("INPUT0", "FP32", [elements], [.. Enumerable.Range(0, elements).Select(static i => (uint)i * 2_654_435_761u)]);
        return tensor with { Data = Elements.WithoutPayloads("FP32", tensor.Data) };
    }

    private static TheoryData<string, string, int, string> CreateCases()
    {
        var data = new TheoryData<string, string, int, string>();
        foreach (var client in new[] { "python", "node" })
        {
            foreach (var protocol in new[] { "gRPC", "REST" })
            {
                foreach (var compression in new[] { "none", "gzip", "deflate" })
                {
                    data.Add(protocol, client, Small, compression);
                }

                data.Add(protocol, client, Large, "none");
            }
        }

        return data;
    }
}
