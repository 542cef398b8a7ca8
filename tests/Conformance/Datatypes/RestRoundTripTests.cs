using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Datatypes;

/// <summary>Tensors come back bit by bit through REST, in every mix of JSON and binary data.</summary>
public sealed class RestRoundTripTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly string[] Forms = ["json", "nested json", "binary", "json to binary", "binary to json"];

    public static TheoryData<string, string, string> Cases { get; } = CreateCases();

    public static TheoryData<string, string> RawOnlyCases { get; } = Cross(["python", "node"], Samples.RawOnly.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Infer_EveryForm_AnswersTheSameElements(string client, string form, string sample)
    {
        var (model, tensor) = Samples.Get(sample);
        var result = await HttpAsync(client, Call(form, new Infer(model, tensor)));
        var answer = InferAnswer.Of(result);

        Assert.Equal("OUTPUT0", answer.Output.Name);
        Assert.Equal(tensor.Datatype, answer.Output.Datatype);
        Assert.Equal(tensor.Shape, answer.Output.Shape);
        Assert.Equal(form is "binary" or "json to binary", Assert.Single(answer.Binary));
        Assert.Equal(Comparable(form, tensor.Datatype, tensor.Data), Comparable(form, tensor.Datatype, answer.Output.Data));
    }

    [Theory]
    [MemberData(nameof(RawOnlyCases))]
    public async Task Infer_BytesThatJsonCannotSay_ComeBackInBinary(string client, string sample)
    {
        var (model, tensor) = Samples.RawOnly[sample];
        var answer = InferAnswer.Of(await HttpAsync(client, Call("binary", new Infer(model, tensor))));
        Assert.Equal(tensor.Data, answer.Output.Data);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_TextThatIsNotUtf8AskedAsJson_IsRefusedWithTheOutputsName(string client)
    {
        var (model, tensor) = Samples.RawOnly["BYTES not UTF-8"];
        var (status, message) = Failure(await HttpAsync(client, Call("binary to json", new Infer(model, tensor))));
        Assert.Equal("400", status);
        Assert.Contains("OUTPUT0", message, StringComparison.Ordinal);
        Assert.Contains("UTF-8", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_OneInputBinaryAndOneJson_AnswersEachOutputAsAsked(string client)
    {
        var request = new Infer(
            "add_sub_int32",
            Tensor.Int32("INPUT0", [1, 16], [.. Enumerable.Range(0, 16)]),
            Tensor.Int32("INPUT1", [1, 16], [.. Enumerable.Repeat(3, 16)]))
        {
            Outputs = [new RequestedOutput("OUTPUT1", Binary: true), new RequestedOutput("OUTPUT0", Binary: false)],
        };
        foreach (var binaryInput in new[] { "INPUT0", "INPUT1" })
        {
            var answer = InferAnswer.Of(await HttpAsync(client, request.Binary(Url, binaryInput)));
            Assert.Equal(["OUTPUT1", "OUTPUT0"], answer.Outputs.Select(static output => output.Name));
            Assert.Equal([true, false], answer.Binary);
            Assert.Equal(Enumerable.Range(0, 16).Select(static i => i - 3), answer.Outputs[0].As<int>());
            Assert.Equal(Enumerable.Range(0, 16).Select(static i => i + 3), answer.Outputs[1].As<int>());
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_BinarySizeLeftOut_TakesItFromTheShape(string client)
    {
        const string Json = """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[2]}],"parameters":{"binary_data_output":true}}""";
        var tensor = Tensor.Fp32("INPUT0", [2], 1.5f, -0f);
        var answer = InferAnswer.Of(await HttpAsync(client, new HttpCall("POST", Url + "/v2/models/vector_fp32/infer")
        {
            Headers = [new(Infer.JsonLengthHeader, "" + Json.Length)],
            Body = (byte[])[.. System.Text.Encoding.UTF8.GetBytes(Json), .. tensor.Data],
        }));
        Assert.Equal(tensor.Data, answer.Output.Data);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_WithoutAnyJson_TakesTheBodyAsTheOneInput(string client)
    {
        var tensor = Tensor.Fp32("INPUT0", [3], 1.5f, -0f, float.NegativeInfinity);
        var answer = InferAnswer.Of(await HttpAsync(client, new HttpCall("POST", Url + "/v2/models/vector_fp32/infer")
        {
            Headers = [new(Infer.JsonLengthHeader, "0")],
            Body = tensor.Data,
        }));
        Assert.Equal(tensor.Shape, answer.Output.Shape);
        Assert.Equal(tensor.Data, answer.Output.Data);
    }

    private static TheoryData<string, string, string> CreateCases()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var form in Forms)
        {
            foreach (var sample in Samples.Names)
            {
                data.Add("python", form, sample);
                data.Add("node", form, sample);
            }
        }

        return data;
    }

    /// <summary>JSON carries that something is NaN, not which.</summary>
    private static byte[] Comparable(string form, string datatype, byte[] data) => form == "binary" ? data : Elements.WithoutPayloads(datatype, data);

    private HttpCall Call(string form, Infer request) => form switch
    {
        "json" => request.Json(Url),
        "nested json" => request.Json(Url, nested: true),
        "binary" => (request with { BinaryOutput = true }).Binary(Url),
        "json to binary" => (request with { Outputs = [new RequestedOutput("OUTPUT0", Binary: true)] }).Json(Url),
        _ => (request with { BinaryOutput = true, Outputs = [new RequestedOutput("OUTPUT0", Binary: false)] }).Binary(Url),
    };
}
