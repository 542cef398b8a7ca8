using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary>Readiness, metadata and configuration of models.</summary>
public sealed class ModelInformationTests(ServerFixture fixture) : ServerTests(fixture)
{
    [Theory]
    [InlineData("add_one", "", true)]
    [InlineData("add_one", "1", true)]
    [InlineData("multi_specific", "3", true)]
    [InlineData("multi_specific", "2", false)]
    [InlineData("broken", "", false)]
    [InlineData("broken", "1", false)]
    [InlineData("two words", "", true)]
    public async Task ModelReady_KnownModel_TellsWhetherItServes(string model, string version, bool expected)
    {
        foreach (var client in new[] { "python", "node" })
        {
            var grpc = await CallAsync<ModelReadyResponse>(client, "ModelReady", new ModelReadyRequest { Name = model, Version = version });
            Assert.Equal(("OK", expected), (grpc.Code, grpc.Response!.Ready));
            var rest = await GetAsync(client, $"{Path(model, version)}/ready");
            Assert.Equal(expected ? 200 : 503, rest.Status);
            Assert.Equal(model, rest.Json.GetProperty("name").GetString());
            Assert.Equal(expected, rest.Json.GetProperty("ready").GetBoolean());
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelReady_Unloaded_IsFalseAndNotAnError(string client)
    {
        await CallAsync<RepositoryModelUnloadResponse>(client, "RepositoryModelUnload", new RepositoryModelUnloadRequest { ModelName = "unloaded" });
        foreach (var version in new[] { "", "1" })
        {
            var grpc = await CallAsync<ModelReadyResponse>(client, "ModelReady", new ModelReadyRequest { Name = "unloaded", Version = version });
            Assert.Equal(("OK", false), (grpc.Code, grpc.Response!.Ready));
            Assert.Equal(503, (await GetAsync(client, $"{Path("unloaded", version)}/ready")).Status);
        }

        await CallAsync<RepositoryModelLoadResponse>(client, "RepositoryModelLoad", new RepositoryModelLoadRequest { ModelName = "unloaded" });
        Assert.True((await CallAsync<ModelReadyResponse>(client, "ModelReady", new ModelReadyRequest { Name = "unloaded" })).Response!.Ready);
    }

    [Theory]
    [InlineData("ModelReady", "/ready", "nosuch", "", "NOT_FOUND", 404)]
    [InlineData("ModelReady", "/ready", "add_one", "7", "NOT_FOUND", 404)]
    [InlineData("ModelReady", "/ready", "add_one", "x", "INVALID_ARGUMENT", 400)]
    [InlineData("ModelMetadata", "", "nosuch", "", "NOT_FOUND", 404)]
    [InlineData("ModelMetadata", "", "add_one", "7", "NOT_FOUND", 404)]
    [InlineData("ModelMetadata", "", "broken", "", "UNAVAILABLE", 503)]
    [InlineData("ModelConfig", "/config", "nosuch", "", "NOT_FOUND", 404)]
    [InlineData("ModelConfig", "/config", "add_one", "x", "INVALID_ARGUMENT", 400)]
    [InlineData("ModelStatistics", "/stats", "nosuch", "", "NOT_FOUND", 404)]
    [InlineData("ModelStatistics", "/stats", "add_one", "7", "NOT_FOUND", 404)]
    public async Task ModelInformation_OfWhatIsNotThere_IsAnErrorThatNamesTheModel(
        string method, string suffix, string model, string version, string code, int status)
    {
        foreach (var client in new[] { "python", "node" })
        {
            // The four requests have one form: name = 1, version = 2.
            var grpc = await Fixture.Client(client).RawUnaryAsync(
                Target,
                Conformance.Clients.ClientDriver.InferenceService + method,
                Google.Protobuf.MessageExtensions.ToByteArray(new ModelReadyRequest { Name = model, Version = version }));
            Assert.Equal(code, grpc.Code);
            Assert.Contains($"'{model}'", grpc.Details, StringComparison.Ordinal);
            var rest = Failure(await GetAsync(client, Path(model, version) + suffix));
            Assert.Equal("" + status, rest.Status);
            Assert.Contains($"'{model}'", rest.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelMetadata_ByBothProtocols_DescribesTensorsAndVersions(string client)
    {
        foreach (var version in new[] { "", "2" })
        {
            var grpc = (await CallAsync<ModelMetadataResponse>(client, "ModelMetadata", new ModelMetadataRequest { Name = "multi_all", Version = version })).Response!;
            Assert.Equal("multi_all", grpc.Name);
            Assert.Equal(["1", "2", "3"], grpc.Versions.Order());
            Assert.Equal("onnx_onnxv1", grpc.Platform);
            var input = Assert.Single(grpc.Inputs);
            Assert.Equal(("INPUT0", "FP32"), (input.Name, input.Datatype));
            Assert.Equal([-1], input.Shape);
            Assert.Equal("OUTPUT0", Assert.Single(grpc.Outputs).Name);

            var rest = (await GetAsync(client, Path("multi_all", version))).Json;
            Assert.Equal("multi_all", rest.GetProperty("name").GetString());
            Assert.Equal("onnx_onnxv1", rest.GetProperty("platform").GetString());
            Assert.Equal(grpc.Versions, rest.GetProperty("versions").EnumerateArray().Select(static item => item.GetString()));
            var output = rest.GetProperty("outputs")[0];
            Assert.Equal("""{"name":"OUTPUT0","datatype":"FP32","shape":[-1]}""", output.GetRawText());
        }
    }

    [Theory]
    [InlineData("fixed_fp32", new long[] { 1, 16 })]
    [InlineData("scalar_fp32", new long[0])]
    [InlineData("identity_string", new long[] { -1, -1 })]
    public async Task ModelMetadata_Shapes_AreTheGraphs(string model, long[] shape)
    {
        var grpc = (await CallAsync<ModelMetadataResponse>("python", "ModelMetadata", new ModelMetadataRequest { Name = model })).Response!;
        Assert.Equal(shape, grpc.Inputs[0].Shape);
        Assert.Equal(shape, grpc.Outputs[0].Shape);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelConfig_ByBothProtocols_HasWhatPerfAnalyzerReads(string client)
    {
        var grpc = (await CallAsync<ModelConfigResponse>(client, "ModelConfig", new ModelConfigRequest { Name = "defaults" })).Response!.Config;
        Assert.Equal("defaults", grpc.Name);
        Assert.Equal(0, grpc.MaxBatchSize);
        Assert.Equal([("X", false), ("scale", true)], grpc.Input.Select(static input => (input.Name, input.Optional)));
        Assert.Equal([2], grpc.Input[0].Dims);
        Assert.Equal(DataType.TypeFp32, grpc.Input[0].DataType);
        Assert.Equal("Y", Assert.Single(grpc.Output).Name);
        Assert.Null(grpc.DynamicBatching);
        Assert.False(grpc.ModelTransactionPolicy?.Decoupled ?? false);
        Assert.False(grpc.ResponseCache?.Enable ?? false);

        var rest = (await GetAsync(client, "/v2/models/defaults/versions/1/config")).Json;
        Assert.Equal("defaults", rest.GetProperty("name").GetString());
        Assert.Equal(0, rest.GetProperty("max_batch_size").GetInt32());
        Assert.Equal("TYPE_FP32", rest.GetProperty("input")[0].GetProperty("data_type").GetString());
        Assert.Equal("2", rest.GetProperty("input")[0].GetProperty("dims")[0].ToString());
        Assert.True(rest.GetProperty("input")[1].GetProperty("optional").GetBoolean());
        Assert.Equal("Y", rest.GetProperty("output")[0].GetProperty("name").GetString());
        Assert.False(rest.GetProperty("model_transaction_policy").GetProperty("decoupled").GetBoolean());
    }

    /// <summary>Clients send each input that metadata lists.</summary>
    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelMetadata_OfInputsWithADefault_LeavesThemOut(string client)
    {
        var grpc = (await CallAsync<ModelMetadataResponse>(client, "ModelMetadata", new ModelMetadataRequest { Name = "defaults" })).Response!;
        Assert.Equal("X", Assert.Single(grpc.Inputs).Name);

        var rest = (await GetAsync(client, "/v2/models/defaults")).Json;
        Assert.Equal("X", Assert.Single(rest.GetProperty("inputs").EnumerateArray()).GetProperty("name").GetString());
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_OptionalInput_MayBeLeftOutOrGiven(string protocol, string client)
    {
        var x = Tensor.Fp32("X", [2], 1, 2);
        var without = await AnswerAsync(protocol, client, new Infer("defaults", x));
        Assert.Equal([2f, 4f], without.Output.As<float>());
        var with = await AnswerAsync(protocol, client, new Infer("defaults", Tensor.Fp32("scale", [1], 10), x));
        Assert.Equal([10f, 20f], with.Output.As<float>());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Models_List_NamesEveryModelOnce(string client)
    {
        var names = (await GetAsync(client, "/v2/models")).Json.GetProperty("models").EnumerateArray().Select(static name => name.GetString()).ToList();
        Assert.Contains("add_one", names);
        Assert.Contains("broken", names);
        Assert.Equal(names.Distinct(), names);
    }

    [Theory]
    [InlineData("two words", "two%20words")]
    [InlineData("ünïcode+50%", "%C3%BCn%C3%AFcode+50%25")]
    [InlineData("ünïcode+50%", "%C3%BCn%C3%AFcode%2B50%25")]
    public async Task Infer_NameThatHasToBeEncoded_IsFound(string model, string encoded)
    {
        foreach (var client in new[] { "python", "node" })
        {
            var request = new Infer(model, Tensor.Fp32("b", [1, 10], new float[10]));
            Assert.Equal(model, InferAnswer.Of(await InferAsync(client, request.Raw())).Model);
            var answer = InferAnswer.Of(await HttpAsync(client, (request with { Model = encoded }).Json(Url)));
            Assert.Equal(model, answer.Model);
            Assert.Equal(Enumerable.Repeat(1f, 10), answer.Output.As<float>());
            Assert.Equal(model, (await GetAsync(client, "/v2/models/" + encoded)).Json.GetProperty("name").GetString());
        }
    }

    private static string Path(string model, string version)
    {
        var path = "/v2/models/" + Uri.EscapeDataString(model);
        return version.Length == 0 ? path : $"{path}/versions/{version}";
    }
}
