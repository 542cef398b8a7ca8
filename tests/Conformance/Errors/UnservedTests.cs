using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Google.Protobuf;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>Methods and paths that the server does not serve, and verbs that a path does not take.</summary>
public sealed class UnservedTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly Dictionary<string, IMessage> Requests = new()
    {
        ["SystemSharedMemoryStatus"] = new SystemSharedMemoryStatusRequest(),
        ["SystemSharedMemoryRegister"] = new SystemSharedMemoryRegisterRequest { Name = "r", Key = "/r", ByteSize = 8 },
        ["SystemSharedMemoryUnregister"] = new SystemSharedMemoryUnregisterRequest { Name = "r" },
        ["CudaSharedMemoryStatus"] = new CudaSharedMemoryStatusRequest(),
        ["CudaSharedMemoryRegister"] = new CudaSharedMemoryRegisterRequest { Name = "r" },
        ["CudaSharedMemoryUnregister"] = new CudaSharedMemoryUnregisterRequest { Name = "r" },
        ["TraceSetting"] = new TraceSettingRequest(),
        ["LogSettings"] = new LogSettingsRequest(),
    };

    public static TheoryData<string, string> Methods { get; } = Cross(["python", "node"], Requests.Keys);

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task GrpcMethod_KnownButNotOffered_IsUnimplementedAndSaysWhy(string client, string method)
    {
        var result = await Fixture.Client(client).RawUnaryAsync(Target, ClientDriver.InferenceService + method, Requests[method].ToByteArray());
        Assert.Equal("UNIMPLEMENTED", result.Code);
        Assert.Contains(method.Contains("Memory", StringComparison.Ordinal) ? "shared memory" : "settings", result.Details, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("python", "inference.GRPCInferenceService/NoSuchMethod")]
    [InlineData("node", "inference.GRPCInferenceService/NoSuchMethod")]
    [InlineData("python", "no.such.Service/Method")]
    [InlineData("node", "no.such.Service/Method")]
    public async Task GrpcMethod_Unknown_IsUnimplemented(string client, string method)
    {
        var result = await Fixture.Client(client).RawUnaryAsync(Target, method, Array.Empty<byte>());
        Assert.Equal("UNIMPLEMENTED", result.Code);
    }

    [Theory]
    [InlineData("python", "GET", "/v2/systemsharedmemory/status")]
    [InlineData("node", "POST", "/v2/systemsharedmemory/region/r/register")]
    [InlineData("python", "POST", "/v2/systemsharedmemory/unregister")]
    [InlineData("node", "GET", "/v2/cudasharedmemory/region/r/status")]
    [InlineData("python", "POST", "/v2/cudasharedmemory/region/r/register")]
    [InlineData("node", "GET", "/v2/trace/setting")]
    [InlineData("python", "POST", "/v2/trace/setting")]
    [InlineData("node", "POST", "/v2/models/add_one/trace/setting")]
    [InlineData("python", "GET", "/v2/logging")]
    [InlineData("node", "POST", "/v2/logging")]
    [InlineData("python", "POST", "/v2/models/add_one/generate")]
    [InlineData("node", "POST", "/v2/models/add_one/versions/1/generate_stream")]
    public async Task RestPath_KnownButNotOffered_Is501AndSaysWhy(string client, string verb, string path)
    {
        var (status, message) = Failure(await HttpAsync(client, new HttpCall(verb, Url + path)));
        Assert.Equal("501", status);
        Assert.Contains("not offered", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("python", "/")]
    [InlineData("node", "/v1/models/add_one")]
    [InlineData("python", "/v2/nosuch")]
    [InlineData("node", "/v2/models/add_one/nosuch")]
    [InlineData("python", "/v2/models/add_one/versions/1/nosuch")]
    [InlineData("node", "/v2/models/add_one/versions")]
    [InlineData("python", "/v3")]
    [InlineData("node", "/v2/models//infer")]
    [InlineData("python", "/v2/models/a/b/c/d/e/infer")]
    [InlineData("node", "/v2/../etc/passwd")]
    public async Task RestPath_Unknown_Is404InTheProtocolsForm(string client, string path)
    {
        Assert.Equal("404", Failure(await GetAsync(client, path)).Status);
        Assert.Equal("404", Failure(await PostAsync(client, path, "{}")).Status);
    }

    [Theory]
    [InlineData("python", "GET", "/v2/models/add_one/infer", "POST")]
    [InlineData("node", "PUT", "/v2/models/add_one/infer", "POST")]
    [InlineData("python", "POST", "/v2", "GET")]
    [InlineData("node", "POST", "/v2/health/ready", "GET")]
    [InlineData("python", "DELETE", "/v2/models/add_one", "GET")]
    [InlineData("node", "POST", "/v2/models/add_one/ready", "GET")]
    [InlineData("python", "POST", "/v2/models/add_one/versions/1/config", "GET")]
    [InlineData("node", "POST", "/v2/models/stats", "GET")]
    [InlineData("python", "GET", "/v2/repository/index", "POST")]
    [InlineData("node", "GET", "/v2/repository/models/add_one/load", "POST")]
    [InlineData("python", "POST", "/v1/config", "GET")]
    [InlineData("node", "GET", "/v1/config/reload", "POST")]
    public async Task RestPath_WrongVerb_Is405WithTheRightOne(string client, string verb, string path, string allowed)
    {
        var result = await HttpAsync(client, new HttpCall(verb, Url + path) { Body = verb == "GET" ? null : "{}"u8.ToArray() });
        var (status, message) = Failure(result);
        Assert.Equal("405", status);
        Assert.Contains(allowed, result.Headers["allow"], StringComparison.Ordinal);
        Assert.Contains(verb, message, StringComparison.Ordinal);
    }
}
