using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary>What an answer carries besides the tensors' bytes: outputs and their order, ids, versions, classes.</summary>
public sealed class InferenceTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly Infer Many = new("many_outputs", Tensor.Fp32("INPUT0", [3], 0, 1, -2));

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_NoOutputsNamed_AnswersAllInTheModelsOrder(string protocol, string client)
    {
        var answer = await AnswerAsync(protocol, client, Many);
        Assert.Equal(["as_int64", "as_fp64", "as_bool", "as_fp16", "as_string", "as_fp32"], answer.Outputs.Select(static output => output.Name));
        Assert.Equal(["INT64", "FP64", "BOOL", "FP16", "BYTES", "FP32"], answer.Outputs.Select(static output => output.Datatype));
        Assert.Equal([0L, 1L, -2L], answer.Outputs[0].As<long>());
        Assert.Equal([0, 1, 1], answer.Outputs[2].Data);
        Assert.Equal(["0", "1", "-2"], Elements.Split(answer.Outputs[4].Data).Select(System.Text.Encoding.UTF8.GetString));
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_OutputsNamed_AnswersThoseInTheRequestsOrder(string protocol, string client)
    {
        var answer = await AnswerAsync(protocol, client, Many with { Outputs = [new("as_fp32"), new("as_string"), new("as_int64")] });
        Assert.Equal(["as_fp32", "as_string", "as_int64"], answer.Outputs.Select(static output => output.Name));
        Assert.Equal([0f, 1f, -2f], answer.Outputs[0].As<float>());
        Assert.Equal([0L, 1L, -2L], answer.Outputs[2].As<long>());
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("ünïcode \"quoted\" \\ \n")]
    [InlineData("")]
    public async Task Infer_Id_IsEchoed(string id)
    {
        foreach (var client in new[] { "python", "node" })
        {
            Assert.Equal(id, (await AnswerAsync("gRPC", client, Many with { Id = id })).Id);
            Assert.Equal(id.Length == 0 ? null : id, (await AnswerAsync("REST", client, Many with { Id = id })).Id);
        }
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_Version_IsTheOneThatRan(string protocol, string client)
    {
        foreach (var (version, expected) in new[] { ("", 3), ("1", 1), ("2", 2), ("3", 3) })
        {
            var answer = await AnswerAsync(protocol, client, new Infer("multi_all", Tensor.Fp32("INPUT0", [1], 10)) { Version = version });
            Assert.Equal("" + expected, answer.Version);
            Assert.Equal([10f + expected], answer.Output.As<float>());
        }
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_InputsInAnotherOrder_AreFoundByName(string protocol, string client)
    {
        var zero = Tensor.Int32("INPUT0", [2, 16], [.. Enumerable.Range(100, 32)]);
        var one = Tensor.Int32("INPUT1", [2, 16], [.. Enumerable.Range(0, 32)]);
        var answer = await AnswerAsync(protocol, client, new Infer("add_sub_int32", one, zero));
        Assert.Equal(Enumerable.Repeat(100, 32), answer.Outputs[1].As<int>());
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_BatchesThatTheGraphBroadcasts_AreAnsweredAndCastNoDoubtOnItsShapes(string protocol, string client)
    {
        var one = Tensor.Int32("INPUT0", [1, 16], [.. Enumerable.Repeat(5, 16)]);
        var two = Tensor.Int32("INPUT1", [2, 16], [.. Enumerable.Range(0, 32)]);
        var answer = await AnswerAsync(protocol, client, new Infer("add_sub_int32", one, two));
        Assert.Equal([2L, 16L], answer.Outputs[0].Shape);
        Assert.Equal(Enumerable.Range(5, 32), answer.Outputs[0].As<int>());
        Assert.DoesNotContain(Fixture.Server.Output.Split('\n'), static line => line.Contains("warn: Cluster.", StringComparison.Ordinal) && line.Contains("add_sub_int32", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_OutputWhoseShapeOnlyTheRunTells_IsAnswered(string protocol, string client)
    {
        var found = await AnswerAsync(protocol, client, new Infer("nonzero", Tensor.Fp32("INPUT0", [4], 0, 5, 0, 6)));
        Assert.Equal([1L, 2L], found.Output.Shape);
        Assert.Equal([1L, 3L], found.Output.As<long>());
        var none = await AnswerAsync(protocol, client, new Infer("nonzero", Tensor.Fp32("INPUT0", [4], 0, 0, 0, 0)));
        Assert.Equal([1L, 0L], none.Output.Shape);
        Assert.Empty(none.Output.Data);
        var shaped = await AnswerAsync(protocol, client, new Infer("unknown_rank", Tensor.Fp32("INPUT0", [4], 1, 2, 3, 4), Tensor.Int64("shape", [3], 2, 1, 2)));
        Assert.Equal([2L, 1L, 2L], shaped.Output.Shape);
        var special = await AnswerAsync(protocol, client, new Infer("nan_inf", Tensor.Fp32("INPUT0", [3], 1, -1, 0)));
        Assert.Equal([float.PositiveInfinity, float.NegativeInfinity, float.NaN], special.Output.As<float>());
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_Classification_AnswersTheBestClassesOfEachRow(string protocol, string client)
    {
        var scores = Tensor.Fp32("INPUT0", [2, 10], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        var answer = await AnswerAsync(protocol, client, new Infer("classify", scores) { Outputs = [new("OUTPUT0", Classification: 3)] });
        Assert.Equal("BYTES", answer.Output.Datatype);
        Assert.Equal([2L, 3L], answer.Output.Shape);
        Assert.Equal(
            ["9.000000:9:jay", "8.000000:8:ibis", "7.000000:7:hen", "9.000000:0:ant", "8.000000:1:bee", "7.000000:2:cat"],
            Elements.Split(answer.Output.Data).Select(System.Text.Encoding.UTF8.GetString));

        var all = await AnswerAsync(protocol, client, new Infer("classify", scores) { Outputs = [new("OUTPUT0", Classification: 99)] });
        Assert.Equal([2L, 10L], all.Output.Shape);
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_ClassificationWithoutLabels_AnswersValueAndIndex(string protocol, string client)
    {
        var request = new Infer("add_one", Tensor.Fp32("b", [1, 10], -1, 0.5f, 0, 0, 0, 0, 0, 0, 0, 0)) { Outputs = [new("a", Classification: 1)] };
        Assert.Equal(["1.500000:1"], Elements.Split((await AnswerAsync(protocol, client, request)).Output.Data).Select(System.Text.Encoding.UTF8.GetString));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task GrpcInfer_ParametersAndMetadataOfAnyKind_AreAccepted(string client)
    {
        var request = Many.Raw();
        request.Parameters["custom_bool"] = new InferParameter { BoolParam = true };
        request.Parameters["custom_int"] = new InferParameter { Int64Param = -5 };
        request.Parameters["custom_text"] = new InferParameter { StringParam = "ü" };
        request.Parameters["custom_double"] = new InferParameter { DoubleParam = 0.5 };
        request.Parameters["custom_uint"] = new InferParameter { Uint64Param = ulong.MaxValue };
        request.Inputs[0].Parameters["custom"] = new InferParameter { StringParam = "x" };
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "as_fp32", Parameters = { ["custom"] = new InferParameter { BoolParam = true } } });
        var result = await InferAsync(client, request, new CallOptions { Metadata = new Dictionary<string, string> { ["test"] = "1", ["trace-bin"] = "AAEC" } });
        Assert.Equal("as_fp32", InferAnswer.Of(result).Output.Name);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task RestInfer_ParametersHeadersAndMembersOfAnyKind_AreAccepted(string client)
    {
        const string Body =
            """
            {"model_name":"ignored","parameters":{"b":true,"i":-5,"u":18446744073709551615,"d":0.5,"s":"ü"},"extra":{"deep":[[1]]},
             "inputs":[{"extra":1,"parameters":{"custom":"x"},"data":[0,1,-2],"shape":[3],"datatype":"FP32","name":"INPUT0"}],
             "outputs":[{"name":"as_fp32","parameters":{"custom":true}}]}
            """;
        var result = await HttpAsync(client, new HttpCall("POST", Url + "/v2/models/many_outputs/infer?test_1=1&test_2=2")
        {
            Headers = [new("test", "1"), new("Content-Type", "text/plain"), new("Authorization", "Bearer x")],
            Body = System.Text.Encoding.UTF8.GetBytes(Body),
        });
        Assert.Equal("as_fp32", InferAnswer.Of(result).Output.Name);
        Assert.DoesNotContain("parameters", result.Text, StringComparison.Ordinal);
    }
}
