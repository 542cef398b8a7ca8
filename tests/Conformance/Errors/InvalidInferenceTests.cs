using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>
/// Requests that are wrong in a way that both protocols can say: the same answer by every interface, its message with the model, the tensor and
/// both values.
/// </summary>
public sealed class InvalidInferenceTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly Tensor Sixteen = Tensor.Fp32("INPUT0", [1, 16], new float[16]);

    private static readonly Tensor Ten = Tensor.Fp32("b", [1, 10], new float[10]);

    private static readonly Dictionary<string, (Infer Request, string Grpc, string Http, string[] Says)> AllCases = new()
    {
        ["unknown model"] = NotFound(new Infer("nosuch", Ten), "Request for unknown model", "nosuch"),
        ["unknown version"] = NotFound(new Infer("add_one", Ten) { Version = "9" }, "Request for unknown model", "add_one", "9", "1"),
        ["version that the policy does not serve"] =
            NotFound(new Infer("multi_specific", Tensor.Fp32("INPUT0", [1], 1)) { Version = "2" }, "Request for unknown model", "multi_specific", "2"),
        ["version not a number"] = Invalid(
            new Infer("add_one", Ten) { Version = "wrong_specification" },
            "failed to get model version from specified version string 'wrong_specification'", "add_one"),
        ["version zero"] = Invalid(new Infer("add_one", Ten) { Version = "0" }, "version", "'0'", "add_one"),
        ["version negative"] = Invalid(new Infer("add_one", Ten) { Version = "-1" }, "version", "'-1'", "add_one"),
        ["version with leading zero"] = Invalid(new Infer("add_one", Ten) { Version = "01" }, "version", "'01'", "add_one"),
        ["version too large"] = Invalid(new Infer("add_one", Ten) { Version = "99999999999999999999" }, "99999999999999999999", "add_one"),
        ["input missing"] = Invalid(new Infer("add_sub_int32", Tensor.Int32("INPUT0", [1, 16], new int[16])), "missing input 'INPUT1'", "add_sub_int32"),
        ["input unknown"] = Invalid(new Infer("add_one", Ten with { Name = "nope" }), "'nope'", "add_one", "b"),
        ["input too many"] = Invalid(new Infer("add_one", Ten, Ten with { Name = "c" }), "'c'", "add_one", "b"),
        ["input twice"] = Invalid(new Infer("add_one", Ten, Ten), "'b'", "twice", "add_one"),
        ["datatype of another kind"] = Invalid(
            new Infer("add_one", Tensor.Int32("b", [1, 10], new int[10])), "'b'", "INT32", "'add_one' expects 'FP32'"),
        ["datatype unknown"] = Invalid(new Infer("add_one", Ten with { Datatype = "FLOAT" }), "'b'", "FLOAT", "FP32"),
        ["rank too small"] = Invalid(new Infer("fixed_fp32", Sixteen with { Shape = [16] }), "unexpected shape for input 'INPUT0'", "fixed_fp32", "[1,16]", "[16]"),
        ["rank too large"] = Invalid(new Infer("fixed_fp32", Sixteen with { Shape = [1, 16, 1] }), "'INPUT0'", "fixed_fp32", "[1,16]", "[1,16,1]"),
        ["rank zero"] = Invalid(new Infer("vector_fp32", Tensor.Fp32("INPUT0", [], 1)), "'INPUT0'", "vector_fp32", "[-1]", "[]"),
        ["dimension too small"] = Invalid(new Infer("fixed_fp32", Tensor.Fp32("INPUT0", [1, 15], new float[15])), "'INPUT0'", "fixed_fp32", "[1,16]", "[1,15]"),
        ["dimension zero where fixed"] = Invalid(new Infer("fixed_fp32", Tensor.Fp32("INPUT0", [0, 16])), "'INPUT0'", "fixed_fp32", "[1,16]", "[0,16]"),
        ["dimension negative"] = Invalid(new Infer("identity_fp32", Sixteen with { Shape = [-1, 16] }), "INPUT0", "shape"),
        ["dimensions that overflow"] = Invalid(new Infer("identity_fp32", Sixteen with { Shape = [16, (1L << 60) + 2] }), "INPUT0", "[16,1152921504606846978]"),
        ["bytes too few"] = Invalid(new Infer("fixed_fp32", Sixteen with { Data = new byte[60] }), "input byte size mismatch", "'INPUT0'", "fixed_fp32", "Expected 64, got 60"),
        ["bytes too many"] = Invalid(new Infer("fixed_fp32", Sixteen with { Data = new byte[68] }), "'INPUT0'", "fixed_fp32", "Expected 64, got 68"),
        ["bytes none"] = Invalid(new Infer("fixed_fp32", Sixteen with { Data = [] }), "'INPUT0'", "fixed_fp32", "Expected 64, got 0"),
        ["bool neither 0 nor 1"] = Invalid(new Infer("identity_bool", new Tensor("INPUT0", "BOOL", [1, 2], [1, 2])), "INPUT0", "identity_bool", "0 or 1"),
        ["string cut in its length"] = Invalid(new Infer("identity_string", new Tensor("INPUT0", "BYTES", [1, 1], [5, 0])), "INPUT0", "identity_string"),
        ["string cut in its text"] = Invalid(new Infer("identity_string", new Tensor("INPUT0", "BYTES", [1, 1], [5, 0, 0, 0, 1])), "INPUT0", "identity_string"),
        ["string with a length beyond all"] =
            Invalid(new Infer("identity_string", new Tensor("INPUT0", "BYTES", [1, 1], [0xFF, 0xFF, 0xFF, 0xFF])), "INPUT0", "identity_string"),
        ["strings too few"] = Invalid(new Infer("identity_string", Tensor.Bytes("INPUT0", [1, 3], [1], [2])), "INPUT0", "identity_string", "3", "2"),
        ["strings too many"] = Invalid(new Infer("identity_string", Tensor.Bytes("INPUT0", [1, 1], [1], [2])), "INPUT0", "identity_string", "1"),
        ["shape of billions without data"] = Invalid(new Infer("identity_string", new Tensor("INPUT0", "BYTES", [1 << 20, 1 << 20], [])), "INPUT0", "identity_string"),
        ["output unknown"] = Invalid(
            new Infer("add_one", Ten) { Outputs = [new RequestedOutput("nope")] }, "unexpected inference output 'nope'", "'add_one'", "a"),
        ["output twice"] = Invalid(
            new Infer("add_one", Ten) { Outputs = [new RequestedOutput("a"), new RequestedOutput("a")] }, "output 'a' already exists in request", "add_one"),
        ["classification of text"] = Invalid(
            new Infer("identity_string", Tensor.Bytes("INPUT0", [1, 1], [1])) { Outputs = [new RequestedOutput("OUTPUT0", Classification: 1)] },
            "OUTPUT0", "identity_string", "BYTES"),
        ["batches that the graph cannot combine"] = Invalid(
            new Infer("add_sub_int32", Tensor.Int32("INPUT0", [3, 16], new int[48]), Tensor.Int32("INPUT1", [2, 16], new int[32])),
            "add_sub_int32", "INPUT0", "INPUT1", "3", "2"),
        ["a run that fails"] = Case(
            new Infer("fails_at_run", Tensor.Int64("index", [1], 7)), "INTERNAL", "500", "model 'fails_at_run' version 1 failed while running", "7"),
        ["a run that cannot reshape"] = Case(
            new Infer("unknown_rank", Tensor.Fp32("INPUT0", [4], 1, 2, 3, 4), Tensor.Int64("shape", [2], 3, 3)),
            "INTERNAL", "500", "model 'unknown_rank' version 1 failed while running"),
        ["a model that is garbage"] = NotLoaded("broken"),
        ["a model that is empty"] = NotLoaded("empty"),
        ["a model with sequences"] = NotLoaded("sequence_output", "OUTPUT0", "sequence"),
    };

    public static TheoryData<string, string, string> Cases { get; } = CreateCases();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Infer_WrongRequest_IsRefusedWithWhatWasFoundAndExpected(string protocol, string client, string name)
    {
        var (request, grpc, http, says) = AllCases[name];
        var (status, message) = await FailAsync(protocol, client, request);
        Assert.True(status == (protocol == "gRPC" ? grpc : http), $"{status}: {message}");
        Assert.All(says, part => Assert.Contains(part, message, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_AfterAFailedRun_Works(string protocol, string client)
    {
        await FailAsync(protocol, client, AllCases["a run that fails"].Request);
        var answer = await AnswerAsync(protocol, client, new Infer("fails_at_run", Tensor.Int64("index", [1], -1)));
        Assert.Equal([40f], answer.Output.As<float>());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_ModelThatDidNotLoad_HasARetryHint(string client)
    {
        var request = AllCases["a model that is garbage"].Request;
        var grpc = await InferAsync(client, request.Raw());
        Assert.True(long.Parse(grpc.Trailers["grpc-retry-pushback-ms"], System.Globalization.CultureInfo.InvariantCulture) > 0);
        var rest = await HttpAsync(client, request.Binary(Url));
        Assert.True(long.Parse(rest.Headers["retry-after"], System.Globalization.CultureInfo.InvariantCulture) > 0);
    }

    private static (Infer Request, string Grpc, string Http, string[] Says) Case(Infer request, string grpc, string http, params string[] says) =>
        (request, grpc, http, says);

    private static (Infer Request, string Grpc, string Http, string[] Says) Invalid(Infer request, params string[] says) =>
        Case(request, "INVALID_ARGUMENT", "400", says);

    private static (Infer Request, string Grpc, string Http, string[] Says) NotFound(Infer request, params string[] says) =>
        Case(request, "NOT_FOUND", "404", says);

    private static (Infer Request, string Grpc, string Http, string[] Says) NotLoaded(string model, params string[] says) =>
        Case(new Infer(model, Tensor.Fp32("INPUT0", [1], 1)), "UNAVAILABLE", "503", [$"'{model}'", "failed to load", .. says]);

    private static TheoryData<string, string, string> CreateCases()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var name in AllCases.Keys)
        {
            foreach (var client in new[] { "python", "node" })
            {
                data.Add("gRPC", client, name);
                data.Add("REST", client, name);
            }
        }

        return data;
    }
}
