using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Tests.Common;
using Google.Protobuf;
using Xunit;

namespace Cluster.Conformance.ModelMesh;

/// <summary>
/// A server with one model of its own, "static", which adds 1, and a folder from which v1, v2 and v3 can be registered, which add their number, and bad, which
/// does not load. And the clients that talk to it.
/// </summary>
public sealed class ModelMeshServer : IAsyncLifetime
{
    private readonly ModelFolder _models = ModelFolder.Create();
    private readonly ModelFolder _registered = ModelFolder.Create();
    private Harness _harness = null!;

    public string Target => _harness.Server.GrpcTarget;

    public string Url => _harness.Server.HttpUrl;

    public async ValueTask InitializeAsync()
    {
        _models.AddVersion("static", 1, TestFile("multi", 1));
        _registered.AddVersion("v1", 1, TestFile("multi", 1)).AddVersion("v2", 1, TestFile("multi", 2)).AddVersion("v3", 1, TestFile("multi", 3));
        _registered.AddVersion("bad", 1, TestFile("broken", 1));
        _harness = await Harness.StartAsync("--models", _models.Path, "--registered-models", _registered.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _harness.DisposeAsync();
        _models.Dispose();
        _registered.Dispose();
    }

    public ClientDriver Client(string name) => _harness.Client(name);

    /// <summary>Calls a method that must succeed.</summary>
    public async Task<T> CallAsync<T>(string client, string method, IMessage request)
        where T : class, IMessage<T>, new()
    {
        var result = await TryAsync<T>(client, method, request);
        Assert.True(result.Code == "OK", $"{method}: {result.Code} {result.Details}");
        return result.Response!;
    }

    public Task<GrpcResult<T>> TryAsync<T>(string client, string method, IMessage request)
        where T : class, IMessage<T>, new() =>
        Client(client).UnaryAsync<T>(Target, "mmesh.ModelMesh/" + method, request, new CallOptions { Timeout = TimeSpan.FromSeconds(60) });

    public Task<ModelStatusInfo> RegisterAsync(string client, string model, string path, bool loadNow = false, string key = "") =>
        CallAsync<ModelStatusInfo>(client, "registerModel", Registration(model, path, loadNow, key));

    public static RegisterModelRequest Registration(string model, string path, bool loadNow = false, string key = "") => new()
    {
        ModelId = model,
        ModelInfo = new ModelInfo { Type = "onnx", Path = path, Key = key },
        LoadNow = loadNow,
        Sync = loadNow,
    };

    /// <summary>Asks for 10 + the model's number.</summary>
    public Task<GrpcResult<ModelInferResponse>> InferAsync(string client, string model, params (string Name, string Value)[] metadata) =>
        Client(client).UnaryAsync<ModelInferResponse>(Target, ClientDriver.InferenceService + "ModelInfer", TenRequest(model), new CallOptions
        {
            Metadata = metadata.ToDictionary(entry => entry.Name, entry => entry.Value),
        });

    public static ModelInferRequest TenRequest(string model) => new()
    {
        ModelName = model,
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "INPUT0", Datatype = "FP32", Shape = { 1 } } },
        RawInputContents = { ByteString.CopyFrom(BitConverter.GetBytes(10f)) },
    };

    public static (string Model, float Answer) Read(ModelInferResponse response) =>
        (response.ModelName, BitConverter.ToSingle(response.RawOutputContents[0].Span));

    private static string TestFile(string model, int version) => Path.Combine(TestPaths.TestModels, model, $"{version}", "model.onnx");
}
