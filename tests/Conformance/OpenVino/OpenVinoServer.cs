using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.OpenVino;

/// <summary>A server on the real OpenVINO that is built into ONNX Runtime 1.24.1, with each real model twice: on OpenVINO, and as <c>…_cpu</c> on the CPU provider.</summary>
public sealed class OpenVinoServer : IAsyncLifetime
{
    public const string OnOpenVino = """{"execution_provider": "openvino"}""";

    private readonly ModelFolder _models = ModelFolder.Create();
    private readonly ModelFolder _cache = ModelFolder.Create();
    private ServerProcess? _server;
    private HttpClient? _http;
    private GrpcClient? _grpc;

    public ServerProcess Server => _server ?? throw new InvalidOperationException("not started");

    /// <summary>Name and client of each protocol.</summary>
    public IReadOnlyList<(string Name, IInferClient Client)> Clients { get; private set; } = [];

    /// <summary>The folder of compiled graphs.</summary>
    public string Cache => _cache.Path;

    public async ValueTask InitializeAsync()
    {
        if (OpenVinoWheel.Lack is not null)
        {
            return;
        }

        AddLogits("squeezenet_logits", OnOpenVino);
        AddLogits("squeezenet_logits_cpu", "{}");
        AddLogits("squeezenet_bf16", """{"execution_provider": "openvino", "provider_options": {"precision": "bf16"}}""");
        foreach (var name in new[] { "light_squeezenet", "light_resnet50", "mnist" })
        {
            Add(name, name, OnOpenVino);
            Add(name + "_cpu", name, "{}");
        }

        Add("silero_vad", "silero_vad", OnOpenVino);
        Add("silero_auto", "silero_vad", """{"execution_provider": "auto"}""");
        Add("mnist_auto", "mnist", """{"execution_provider": "auto"}""");
        Copy("digits", TestPaths.DemoModels, OnOpenVino);
        Copy("digits", TestPaths.DemoModels, "{}", "digits_cpu");
        Copy("batchy", TestPaths.TestModels, OnOpenVino);
        foreach (var (name, options) in OptionTests.Cached)
        {
            Add(name, "light_squeezenet", $$$"""{"execution_provider": "openvino", "provider_options": {"cache": true{{{options}}}}}""");
        }

        Directory.CreateDirectory(Path.Combine(_models.Path, "hungry", "1"));
        await File.WriteAllBytesAsync(Path.Combine(_models.Path, "hungry", "1", "model.onnx"), OnnxModels.Hungry(5));
        await File.WriteAllTextAsync(Path.Combine(_models.Path, "hungry", "model.json"), """{"run_memory_mib": 64}""");
        Add("wrong_config", "mnist", """{"execution_provider": "openvino", "provider_options": {"config": {"CPU": {"NO_SUCH_PROPERTY": 1}}}}""");
        Add("wrong_device", "mnist", """{"execution_provider": "openvino", "provider_options": {"device": "GPU"}}""");
        _server = await ServerProcess.StartAsync("--models", _models.Path, "--openvino", await OpenVinoWheel.BuiltInAsync(), "--openvino-cache", Cache);
        Clients = [("gRPC raw", new GrpcInferClient(Server.GrpcTarget)), ("REST binary", new RestInferClient(Server.HttpUrl))];
        _http = new HttpClient { BaseAddress = new Uri(Server.HttpUrl) };
        _grpc = new GrpcClient(Server.GrpcTarget);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, client) in Clients)
        {
            client.Dispose();
        }

        _http?.Dispose();
        _grpc?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _models.Dispose();
        _cache.Dispose();
    }

    public Task<string> GetAsync(string path) => _http!.GetStringAsync(new Uri(path, UriKind.Relative));

    public async Task<ModelMetadataResponse> MetadataAsync(string model) =>
        await _grpc!.CallAsync("ModelMetadata", new ModelMetadataRequest { Name = model }, ModelMetadataResponse.Parser);

    /// <summary>A parameter of a model's configuration, or null.</summary>
    public async Task<string?> ParameterAsync(string model, string name)
    {
        var config = await _grpc!.CallAsync("ModelConfig", new ModelConfigRequest { Name = model }, ModelConfigResponse.Parser);
        return config.Config.Parameters.TryGetValue(name, out var value) ? value.StringValue : null;
    }

    /// <summary>State and reason in the repository's index.</summary>
    public async Task<(string State, string Reason)> RowAsync(string model)
    {
        var index = await _grpc!.CallAsync("RepositoryIndex", new RepositoryIndexRequest(), RepositoryIndexResponse.Parser);
        return index.Models.Where(row => row.Name == model).Select(static row => (row.State, row.Reason)).Single();
    }

    public async Task<string> WhyNotReadyAsync(string model) => (await _grpc!.CallAsync("ModelReady", new ModelReadyRequest { Name = model }, ModelReadyResponse.Parser)).Reason;

    /// <summary>What a load answers, over REST.</summary>
    public async Task<string> WhyNotLoadedAsync(string model)
    {
        using var answer = await _http!.PostAsync(new Uri($"/v2/repository/models/{model}/load", UriKind.Relative), content: null);
        Assert.Equal(503, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>The first input filled with numbers from 0 to 1.</summary>
    public async Task<RawTensor> InputAsync(string model)
    {
        var input = (await MetadataAsync(model)).Inputs[0];
        long[] shape = [.. input.Shape.Select(static dimension => Math.Max(1, dimension))];
        var count = (int)shape.Aggregate(static (product, dimension) => product * dimension);
        return RawTensor.Fp32(input.Name, shape, [.. Enumerable.Range(0, count).Select(index => (float)index / count)]);
    }

    /// <summary>
    /// SqueezeNet without its softmax. The constant weights of the file give a thousand logits of 9.5e9, whose last digits are rounding: a softmax of those is
    /// 0.001 each where all are rounded alike, and anything where they are not.
    /// </summary>
    private void AddLogits(string name, string settings)
    {
        Add(name, "light_squeezenet", settings);
        var path = Path.Combine(_models.Path, name, "1", "model.onnx");
        var file = File.ReadAllBytes(path);

        // A dropout lets its input through; the names are of one length.
        "Dropout"u8.CopyTo(file.AsSpan(file.AsSpan().IndexOf("Softmax"u8)));
        File.WriteAllBytes(path, file);
    }

    private void Add(string name, string file, string settings)
    {
        _models.AddVersion(name, 1, Path.Combine(TestPaths.SharedModels!, file + ".onnx"));
        File.WriteAllText(Path.Combine(_models.Path, name, "model.json"), settings);
    }

    private void Copy(string model, string from, string settings, string? name = null)
    {
        _models.Add(Path.Combine(from, model), name);
        File.WriteAllText(Path.Combine(_models.Path, name ?? model, "model.json"), settings);
    }
}
