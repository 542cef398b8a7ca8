using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Grpc;
using Cluster.Unit.Gateway.Rest;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Gateway;

/// <summary>What parameters may say is decided once: REST and gRPC accept and refuse the same, in the same words.</summary>
public sealed class ParameterRulesTests : RestServer
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("3", 3)]
    [InlineData("null", 0)]
    public async Task Classification_Count_IsTakenByBoth(string json, long expected)
    {
        var answer = await Host.InferAsync(Rest(output: $$"""{"classification":{{json}}}"""));
        Assert.True(answer.Status == 200, answer.Text);
        var message = new InferRequestMessage();
        message.Parse(Host.Api.LastRequest.ToByteArray());
        Assert.Equal(expected, message.Outputs[0].Classification);

        message.Parse(Grpc(output: ("classification", json == "null" ? new InferParameter() : new InferParameter { Int64Param = expected })));
        Assert.Equal(expected, message.Outputs[0].Classification);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("true")]
    [InlineData("\"3\"")]
    [InlineData("[3]")]
    public async Task Classification_OfAnotherKind_IsRefusedInTheSameWords(string json)
    {
        var answer = await Host.InferAsync(Rest(output: $$"""{"classification":{{json}}}"""));
        var failure = Refusal(Grpc(output: ("classification", Parameter(json))));

        Assert.Equal((400, StatusCode.InvalidArgument), (answer.Status, failure.Code));
        Assert.Equal(failure.Message, answer.Error);
        Assert.Contains("'classification' of output 'O' must be an integer of at least 0: how many classes", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "shared_memory_region")]
    [InlineData(true, "shared_memory_byte_size")]
    [InlineData(false, "shared_memory_region")]
    [InlineData(false, "shared_memory_offset")]
    public async Task SharedMemory_OnAnInputOrOutput_IsUnimplementedInTheSameWords(bool input, string key)
    {
        var json = $$"""{"{{key.Replace("_r", "\\u005fr", StringComparison.Ordinal)}}":8}""";
        var answer = await Host.InferAsync(input ? Rest(input: json) : Rest(output: json));
        var parameter = (key, new InferParameter { Int64Param = 8 });
        var failure = Refusal(input ? Grpc(input: parameter) : Grpc(output: parameter));

        Assert.Equal((501, StatusCode.Unimplemented), (answer.Status, failure.Code));
        Assert.Equal(failure.Message, answer.Error);
        Assert.StartsWith(input ? "input 'A' refers to shared memory" : "output 'O' refers to shared memory", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("timeout", "-1", StatusCode.InvalidArgument)]
    [InlineData("timeout", "\"5\"", StatusCode.InvalidArgument)]
    [InlineData("timeout", "true", StatusCode.InvalidArgument)]
    [InlineData("priority", "-1", StatusCode.InvalidArgument)]
    [InlineData("priority", "true", StatusCode.InvalidArgument)]
    public async Task RequestParameter_ThatCannotBeHonoured_IsRefusedInTheSameWords(string key, string json, StatusCode code)
    {
        await using var server = await GrpcTestServer.StartAsync();

        var answer = await Host.InferAsync(Rest(request: $$"""{"{{key}}":{{json}}}"""));
        var reply = await server.CallAsync(GrpcTestServer.Infer, GrpcTestReply.Frame(Grpc(request: (key, Parameter(json)))));

        Assert.Equal((code == StatusCode.InvalidArgument ? 400 : 501, code), (answer.Status, reply.Status));
        Assert.Equal(reply.Message, answer.Error);
        Assert.Contains($"'{key}' must be an integer of at least 0", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"timeout\":0,\"priority\":0}")]
    [InlineData("{\"timeout\":null,\"priority\":null}")]
    [InlineData("{\"timeout\":9223372036854775807}")]
    public async Task RequestParameter_ThatSetsNothing_IsTaken(string json)
    {
        var answer = await Host.InferAsync(Rest(request: json));

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Null(Host.Api.LastCall!.Value.Timeout);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{}")]
    public async Task KnownRequestParameter_ThatIsNoScalar_Is400(string json)
    {
        Assert.Equal(400, (await Host.InferAsync(Rest(request: $$"""{"timeout":{{json}}}"""))).Status);
        Assert.Equal(400, (await Host.InferAsync(Rest(request: $$"""{"priority":{{json}}}"""))).Status);
    }

    [Fact]
    public async Task Timeout_RunThatTakesLonger_IsStoppedAndDeadlineExceededOverBoth()
    {
        var api = GrpcTestServer.Echo();
        Host.Api.Infer = api.Infer = async (_, _, token) =>
        {
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = token.Register(() => stopped.TrySetResult());
            await stopped.Task.Soon();
            return InferReply.Failed(Failure.Cancelled("stopped"));
        };
        await using var server = await GrpcTestServer.StartAsync(api);

        var answer = await Host.InferAsync(Rest(request: """{"timeout":50000}""")).Soon();
        var reply = await server.CallAsync(GrpcTestServer.Infer, GrpcTestReply.Frame(Grpc(request: ("timeout", new InferParameter { Int64Param = 50_000 })))).Soon();

        Assert.Equal((504, StatusCode.DeadlineExceeded), (answer.Status, reply.Status));
        Assert.Equal("model 'm' did not answer within the 50000 \u00b5s of the request parameter 'timeout'", answer.Error);
        Assert.Equal(answer.Error, reply.Message);
        Assert.Equal(TimeSpan.FromMilliseconds(50), Host.Api.LastCall!.Value.Timeout);
    }

    [Fact]
    public async Task Timeout_BesideALongerHeader_IsTheOneThatHolds()
    {
        var answer = await Host.InferAsync(Rest(request: """{"timeout":20000000}"""), ("X-Request-Timeout", "60000"));

        Assert.Equal(200, answer.Status);
        Assert.Equal(TimeSpan.FromSeconds(20), Host.Api.LastCall!.Value.Timeout);
    }

    private static Failure Refusal(byte[] message) => Assert.Throws<ServingException>(() => new InferRequestMessage().Parse(message)).Failure;

    private static string Rest(string request = "{}", string input = "{}", string output = "{}") =>
        $$"""{"parameters":{{request}},"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1],"parameters":{{input}}}],"outputs":[{"parameters":{{output}},"name":"O"}]}""";

    private static byte[] Grpc((string Key, InferParameter Value)? request = null, (string Key, InferParameter Value)? input = null, (string Key, InferParameter Value)? output = null)
    {
        var message = new ModelInferRequest
        {
            ModelName = "m",
            Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "A", Datatype = "INT8", Shape = { 1 } } },
            Outputs = { new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "O" } },
            RawInputContents = { ByteString.CopyFrom(1) },
        };
        Add(message.Parameters, request);
        Add(message.Inputs[0].Parameters, input);
        Add(message.Outputs[0].Parameters, output);
        return message.ToByteArray();

        static void Add(IDictionary<string, InferParameter> parameters, (string Key, InferParameter Value)? parameter)
        {
            if (parameter is { } set)
            {
                parameters[set.Key] = set.Value;
            }
        }
    }

    private static InferParameter Parameter(string json) => json switch
    {
        "true" => new InferParameter { BoolParam = true },
        "1.5" => new InferParameter { DoubleParam = 1.5 },
        ['"', ..] or ['[', ..] => new InferParameter { StringParam = json.Trim('"') },
        _ => new InferParameter { Int64Param = long.Parse(json, System.Globalization.CultureInfo.InvariantCulture) },
    };
}
