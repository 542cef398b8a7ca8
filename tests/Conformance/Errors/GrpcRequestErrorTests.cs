using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Google.Protobuf;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>Requests that are wrong in a way that only gRPC can say.</summary>
public sealed class GrpcRequestErrorTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly Dictionary<string, (ModelInferRequest Request, string[] Says)> AllCases = new()
    {
        ["raw and typed contents"] = (
            With(new Infer("add_one", Tensor.Fp32("b", [1, 10], new float[10])).Typed(), static request => request.RawInputContents.Add(ByteString.CopyFrom(new byte[40]))),
            ["contents field must not be specified when using raw_input_contents for 'b' for model 'add_one'"]),
        ["raw contents too few"] = (
            With(
                new Infer("add_sub_int32", Tensor.Int32("INPUT0", [1, 16], new int[16]), Tensor.Int32("INPUT1", [1, 16], new int[16])).Raw(),
                static request => request.RawInputContents.RemoveAt(1)),
            ["unable to find data for input tensor 'INPUT1' for model 'add_sub_int32' in request."]),
        ["raw contents too many"] = (
            With(new Infer("add_one", Tensor.Fp32("b", [1, 10], new float[10])).Raw(), static request => request.RawInputContents.Add(ByteString.Empty)),
            ["raw_input_contents", "2", "1", "add_one"]),
        ["no data at all"] = (
            With(new Infer("add_one", Tensor.Fp32("b", [1, 10], new float[10])).Raw(), static request => request.RawInputContents.Clear()),
            ["'b'", "add_one"]),
        ["no inputs"] = (new ModelInferRequest { ModelName = "add_one" }, ["missing input 'b'", "add_one"]),
        ["no model's name"] = (new ModelInferRequest(), ["unknown model", "''"]),
        ["FP32 in int_contents"] = (Typed("FP32", [1, 1], new InferTensorContents { IntContents = { 1 } }), ["INPUT0", "identity_fp32", "FP32", "fp32_contents", "int_contents"]),
        ["INT32 in int64_contents"] = (Typed("INT32", [1, 1], new InferTensorContents { Int64Contents = { 1 } }), ["INPUT0", "identity_int32", "int_contents", "int64_contents"]),
        ["UINT8 in int_contents"] = (Typed("UINT8", [1, 1], new InferTensorContents { IntContents = { 1 } }), ["INPUT0", "identity_uint8", "uint_contents"]),
        ["BOOL in uint_contents"] = (Typed("BOOL", [1, 1], new InferTensorContents { UintContents = { 1 } }), ["INPUT0", "identity_bool", "bool_contents", "uint_contents"]),
        ["FP64 in bytes_contents"] = (Typed("FP64", [1, 1], new InferTensorContents { BytesContents = { ByteString.CopyFromUtf8("1") } }), ["identity_fp64", "fp64_contents", "bytes_contents"]),
        ["BYTES in fp32_contents"] = (Typed("BYTES", [1, 1], new InferTensorContents { Fp32Contents = { 1 } }), ["identity_string", "bytes_contents", "fp32_contents"]),
        ["two typed fields"] = (Typed("FP32", [1, 1], new InferTensorContents { Fp32Contents = { 1 }, Fp64Contents = { 1 } }), ["identity_fp32", "fp64_contents"]),
        ["FP16 typed"] = (Typed("FP16", [1, 1], new InferTensorContents { Fp32Contents = { 1 } }), ["INPUT0", "identity_fp16", "FP16", "raw_input_contents"]),
        ["BF16 typed"] = (Typed("BF16", [1, 1], new InferTensorContents { Fp32Contents = { 1 } }), ["INPUT0", "identity_bf16", "BF16", "raw_input_contents"]),
        ["INT8 above"] = (Typed("INT8", [1, 2], new InferTensorContents { IntContents = { 1, 128 } }), ["INPUT0", "identity_int8", "element 1", "128", "127"]),
        ["INT8 below"] = (Typed("INT8", [1, 1], new InferTensorContents { IntContents = { -129 } }), ["INPUT0", "identity_int8", "-129", "-128"]),
        ["INT16 above"] = (Typed("INT16", [1, 1], new InferTensorContents { IntContents = { 32_768 } }), ["identity_int16", "32768", "32767"]),
        ["INT16 below"] = (Typed("INT16", [1, 1], new InferTensorContents { IntContents = { -32_769 } }), ["identity_int16", "-32769", "-32768"]),
        ["UINT8 above"] = (Typed("UINT8", [1, 1], new InferTensorContents { UintContents = { 256 } }), ["identity_uint8", "256", "255"]),
        ["UINT16 above"] = (Typed("UINT16", [1, 1], new InferTensorContents { UintContents = { 65_536 } }), ["identity_uint16", "65536", "65535"]),
        ["elements too few"] = (Typed("FP32", [1, 3], new InferTensorContents { Fp32Contents = { 1, 2 } }), ["INPUT0", "identity_fp32", "3", "2"]),
        ["elements too many"] = (Typed("FP32", [1, 1], new InferTensorContents { Fp32Contents = { 1, 2 } }), ["INPUT0", "identity_fp32", "1"]),
        ["strings too few"] = (Typed("BYTES", [1, 2], new InferTensorContents { BytesContents = { ByteString.Empty } }), ["INPUT0", "identity_string", "2", "1"]),
        ["shape of billions with one element"] = (Typed("INT64", [1 << 20, 1 << 20], new InferTensorContents { Int64Contents = { 1 } }), ["INPUT0", "identity_int64"]),
        ["classification not a number"] = (
            With(new Infer("add_one", Tensor.Fp32("b", [1, 10], new float[10])) { Outputs = [new RequestedOutput("a")] }.Raw(), static request =>
                request.Outputs[0].Parameters["classification"] = new InferParameter { StringParam = "3" }),
            ["classification"]),
        ["classification negative"] = (new Infer("add_one", Tensor.Fp32("b", [1, 10], new float[10])) { Outputs = [new RequestedOutput("a", Classification: -1)] }.Raw(), ["classification"]),
    };

    public static TheoryData<string, string> Cases { get; } = Cross(["python", "node"], AllCases.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task ModelInfer_WrongRequest_IsInvalidArgument(string client, string name)
    {
        var (request, says) = AllCases[name];
        var result = await InferAsync(client, request);
        Assert.True(result.Code == (name == "no model's name" ? "NOT_FOUND" : "INVALID_ARGUMENT"), $"{result.Code}: {result.Details}");
        Assert.All(says, part => Assert.Contains(part, result.Details, StringComparison.Ordinal));
        Assert.DoesNotContain("grpc-retry-pushback-ms", result.Trailers.Keys);
    }

    [Theory]
    [InlineData("python", "ModelInfer", new byte[] { 0x0A, 0xFF })]
    [InlineData("node", "ModelInfer", new byte[] { 0x0A, 0xFF })]
    [InlineData("python", "ModelInfer", new byte[] { 0x0F, 0x01 })]
    [InlineData("node", "ModelInfer", new byte[] { 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData("python", "ModelMetadata", new byte[] { 0x0A, 0xFF })]
    [InlineData("node", "ModelReady", new byte[] { 0x0A, 0x05, 0x61 })]
    public async Task AnyMethod_MalformedProtobuf_IsInvalidArgument(string client, string method, byte[] message)
    {
        var result = await Fixture.Client(client).RawUnaryAsync(Target, ClientDriver.InferenceService + method, message);
        Assert.True(result.Code == "INVALID_ARGUMENT", $"{result.Code}: {result.Details}");
        Assert.NotEqual("", result.Details);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelInfer_ProtobufCutAnywhere_IsAnErrorAndNeverACrash(string client)
    {
        var whole = new Infer("add_one", Tensor.Fp32("b", [1, 10], new float[10])).Raw().ToByteArray();
        for (var length = 1; length < whole.Length; length++)
        {
            var result = await Fixture.Client(client).RawUnaryAsync(Target, ClientDriver.InferenceService + "ModelInfer", whole.AsMemory(0, length));
            Assert.True(result.Code is "INVALID_ARGUMENT" or "NOT_FOUND", $"cut at {length}: {result.Code}: {result.Details}");
        }
    }

    private static ModelInferRequest Typed(string datatype, long[] shape, InferTensorContents contents)
    {
        var model = datatype == "BYTES" ? "identity_string" : "identity_" + datatype.ToLowerInvariant();
        return new ModelInferRequest
        {
            ModelName = model,
            Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "INPUT0", Datatype = datatype, Shape = { shape }, Contents = contents } },
        };
    }

    private static ModelInferRequest With(ModelInferRequest request, Action<ModelInferRequest> change)
    {
        change(request);
        return request;
    }
}
