using System.Net.Http.Headers;
using System.Text;
using Cluster.Contracts.Protocol;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Tensors as bytes behind the JSON.</summary>
public sealed class InferBinaryTests : RestServer
{
    private const string OneInput = """{"inputs":[{"name":"IN","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""";
    private const string JsonInput = """{"inputs":[{"name":"IN","shape":[1],"datatype":"INT8","data":[1]}]""";

    private static readonly byte[] EightBytes = [1, 2, 3, 4, 5, 6, 7, 8];

    public static TheoryData<string, int> Sizes { get; } = new()
    {
        { "BOOL", 1 }, { "UINT8", 1 }, { "UINT16", 2 }, { "UINT32", 4 }, { "UINT64", 8 }, { "INT8", 1 }, { "INT16", 2 },
        { "INT32", 4 }, { "INT64", 8 }, { "FP16", 2 }, { "BF16", 2 }, { "FP32", 4 }, { "FP64", 8 }, { "BYTES", 7 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Infer_BinaryTensor_PassesUnchangedBothWays(string datatype, int elementSize)
    {
        var raw = datatype == "BYTES"
            ? [3, 0, 0, 0, 0xFF, 0, 1, 3, 0, 0, 0, 9, 8, 7]
            : Enumerable.Range(0, 2 * elementSize).Select(i => (byte)i).ToArray();
        Host.Api.AnswerWith(datatype, [2], raw);

        var answer = await Host.InferBinaryAsync(
            $$$"""{"inputs":[{"name":"IN","shape":[2],"datatype":"{{{datatype}}}","parameters":{"binary_data_size":{{{raw.Length}}}}}],"parameters":{"binary_data_output":true}}""",
            raw);

        Assert.Equal(200, answer.Status);
        Assert.Equal(raw, Assert.Single(Host.Api.LastRequest!.RawInputContents));
        var (json, tail) = answer.Split();
        Assert.Equal(
            $$$"""{"model_name":"m","model_version":"1","outputs":[{"name":"OUT","datatype":"{{{datatype}}}","shape":[2],"parameters":{"binary_data_size":{{{raw.Length}}}}}]}""",
            json);
        Assert.Equal(raw, tail);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(150_000)]
    [InlineData(3_000_000)]
    public async Task Infer_BinaryTensor_StartsAlignedAtAnySize(int elements)
    {
        var raw = new byte[elements * 4];
        new Random(elements).NextBytes(raw);
        var json = $$$"""{"id":"{{{new string('x', elements % 7)}}}","inputs":[{"name":"IN","shape":[{{{elements}}}],"datatype":"FP32","parameters":{"binary_data_size":{{{raw.Length}}}}}]}""";
        long? offset = null;
        Host.Api.Observe = message =>
        {
            var parsed = new Contracts.Wire.InferRequestMessage();
            parsed.Parse(message.Span);
            Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray<byte>(message.Memory, out var segment));
            offset = segment.Offset + parsed.RawContents[0].Offset;
        };

        var answer = await Host.InferBinaryAsync(json, raw);

        Assert.Equal(200, answer.Status);
        Assert.Equal(0, offset! % 8);
        Assert.True(raw.AsSpan().SequenceEqual(Host.Api.LastRequest!.RawInputContents[0].Span));
    }

    [Fact]
    public async Task Infer_JsonAndBinaryInputsMixed_KeepTheirOrder()
    {
        var answer = await Host.InferBinaryAsync(
            """
            {"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]},
                       {"name":"B","shape":[2],"datatype":"INT8","parameters":{"binary_data_size":2}},
                       {"name":"C","shape":[1],"datatype":"INT8","data":[4]},
                       {"name":"D","shape":[0],"datatype":"INT8","parameters":{"binary_data_size":0}},
                       {"name":"E","shape":[1],"datatype":"INT16"}]}
            """,
            [2, 3, 5, 6]);

        Assert.Equal(200, answer.Status);
        var request = Host.Api.LastRequest!;
        Assert.Equal(["A", "B", "C", "D", "E"], request.Inputs.Select(input => input.Name));
        Assert.Equal(["01", "0203", "04", "", "0506"], request.RawInputContents.Select(raw => Convert.ToHexString(raw.Span)));
    }

    [Fact]
    public async Task Infer_LoneBytesInputWithoutSize_TakesTheRest()
    {
        var answer = await Host.InferBinaryAsync("""{"inputs":[{"name":"IN","shape":[1],"datatype":"BYTES"}]}""", [2, 0, 0, 0, 0xFF, 0xD8]);

        Assert.Equal(200, answer.Status);
        Assert.Equal("02000000FFD8", Convert.ToHexString(Host.Api.LastRequest!.RawInputContents[0].Span));
    }

    [Theory]
    [InlineData("x", "must be the number of bytes")]
    [InlineData("-1", "must be the number of bytes")]
    [InlineData("1.5", "must be the number of bytes")]
    [InlineData("99999999999999999999", "must be the number of bytes")]
    [InlineData("1000", "the body has only")]
    public async Task Infer_BadJsonLength_IsRefused(string header, string expected)
    {
        var answer = await Host.InferAsync(OneInput, ("Inference-Header-Content-Length", header));

        Assert.Equal(400, answer.Status);
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, "'IN' needs 8 bytes of binary data, but the body has 7 left")]
    [InlineData(9, "goes on after its last binary input")]
    public async Task Infer_TailOfWrongLength_IsRefused(int length, string expected)
    {
        foreach (var chunked in new[] { false, true })
        {
            var head = Encoding.UTF8.GetBytes(OneInput);
            var request = new HttpRequestMessage(HttpMethod.Post, RestHost.InferPath) { Content = new ByteArrayContent([.. head, .. new byte[length]]) };
            request.Headers.Add("Inference-Header-Content-Length", $"{head.Length}");
            request.Headers.TransferEncodingChunked = chunked;
            request.Content.Headers.ContentLength = chunked ? null : head.Length + length;

            var answer = await Host.SendAsync(request);

            Assert.Equal(400, answer.Status);
            Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"BYTES"},{"name":"B","shape":[1],"datatype":"INT8","data":[1]}]}""", "a BYTES input among others")]
    [InlineData("""{"inputs":[{"name":"A","shape":[4611686018427387904],"datatype":"FP64"}]}""", "'A' needs 9223372036854775807 bytes")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1],"parameters":{"binary_data_size":8}}]}""", "both data and binary_data_size")]
    [InlineData("""{"inputs":[{"name":"A","shape":[8],"datatype":"INT8","parameters":{"binary_data_size":1.5}}]}""", "binary_data_size must be")]
    [InlineData("""{"inputs":[{"name":"A","shape":[8],"datatype":"INT8","parameters":{"binary_data_size":"8"}}]}""", "binary_data_size must be")]
    public async Task Infer_BinaryInputThatCannotBe_IsRefused(string json, string expected)
    {
        var answer = await Host.InferBinaryAsync(json, EightBytes);

        Assert.Equal(400, answer.Status);
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_SharedMemoryInput_IsNotImplemented()
    {
        var answer = await Host.InferAsync(
            """{"inputs":[{"name":"A","shape":[8],"datatype":"INT8","parameters":{"shared_memory_region":"r","shared_memory_byte_size":8}}]}""");

        Assert.Equal(501, answer.Status);
        Assert.Contains("shared memory", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "", "JJ")]
    [InlineData(""","parameters":{"binary_data_output":true}""", "", "BB")]
    [InlineData(""","parameters":{"binary_data_output":true}""", ""","outputs":[{"name":"X"},{"name":"Y"}]""", "BB")]
    [InlineData(""","parameters":{"binary_data_output":true}""", ""","outputs":[{"name":"X","parameters":{"binary_data":false}},{"name":"Y"}]""", "JB")]
    [InlineData("", ""","outputs":[{"name":"Y","parameters":{"binary_data":true}},{"name":"X"}]""", "JB")]
    [InlineData("", ""","outputs":[{"name":"X","parameters":{"binary_data":true}},{"name":"Y","parameters":{"binary_data":true}}]""", "BB")]
    public async Task Infer_OutputForm_FollowsTheOutputThenTheRequest(string parameters, string outputs, string forms)
    {
        Host.Api.Infer = (_, _, _) =>
        {
            var response = new ModelInferResponse { ModelName = "m", ModelVersion = "1", Id = "i" };
            response.Outputs.Add(new ModelInferResponse.Types.InferOutputTensor { Name = "X", Datatype = "INT8", Shape = { 2 } });
            response.Outputs.Add(new ModelInferResponse.Types.InferOutputTensor { Name = "Y", Datatype = "INT8", Shape = { 0 } });
            response.RawOutputContents.Add(ByteString.CopyFrom(1, 2));
            response.RawOutputContents.Add(ByteString.Empty);
            return ValueTask.FromResult(FakeServingApi.Answer(response));
        };

        var answer = await Host.InferAsync(JsonInput + parameters + outputs + "}");

        var (json, tail) = answer.Split();
        var x = forms[0] == 'B' ? "\"parameters\":{\"binary_data_size\":2}" : "\"data\":[1,2]";
        var y = forms[1] == 'B' ? "\"parameters\":{\"binary_data_size\":0}" : "\"data\":[]";
        Assert.Equal(
            $$"""{"model_name":"m","model_version":"1","id":"i","outputs":[{"name":"X","datatype":"INT8","shape":[2],{{x}}},{"name":"Y","datatype":"INT8","shape":[0],{{y}}}]}""",
            json);
        Assert.Equal(forms[0] == 'B' ? [1, 2] : [], tail);
        Assert.Equal(forms.Contains('B') ? "application/octet-stream" : "application/json", answer.Header("Content-Type"));
    }

    [Fact]
    public async Task Infer_BytesOutputThatIsNoText_NeedsBinary()
    {
        Host.Api.AnswerWith("BYTES", [1], [2, 0, 0, 0, 0xFF, 0xFE]);

        var asJson = await Host.InferAsync(JsonInput + "}");
        var asBinary = await Host.InferAsync(JsonInput + ""","parameters":{"binary_data_output":true}}""");

        Assert.Equal(400, asJson.Status);
        Assert.Contains("'OUT'", asJson.Error, StringComparison.Ordinal);
        Assert.Contains("binary_data", asJson.Error, StringComparison.Ordinal);
        Assert.Equal([2, 0, 0, 0, 0xFF, 0xFE], asBinary.Split().Tail);
    }

    [Theory]
    [InlineData("FP32", 3)]
    [InlineData("BYTES", 3)]
    [InlineData("NONE", 4)]
    public async Task Infer_AnswerThatDoesNotFitItself_IsOurFault(string datatype, int length)
    {
        Host.Api.AnswerWith(datatype, [1], new byte[length]);

        var answer = await Host.InferAsync(JsonInput + "}");

        Assert.Equal(500, answer.Status);
        Assert.Contains("'OUT'", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_ChunkedBody_IsRead()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, RestHost.InferPath) { Content = new ByteArrayContent([.. Encoding.UTF8.GetBytes(OneInput), .. EightBytes]) };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.Add("Inference-Header-Content-Length", $"{OneInput.Length}");
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");

        var answer = await Host.SendAsync(request);

        Assert.Equal(200, answer.Status);
        Assert.Equal(EightBytes, Host.Api.LastRequest!.RawInputContents[0]);
    }
}
