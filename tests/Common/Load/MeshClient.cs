using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Protocol.Mesh;
using Google.Protobuf;

namespace Cluster.Tests.Common;

/// <summary>Inference and management through one gateway, on one connection.</summary>
public sealed class MeshClient(string target) : IDisposable
{
    private const string Mesh = "/mmesh.ModelMesh/";
    private const string Registry = "/mmesh.ModelMeshRegistry/";
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(60);

    private readonly GrpcClient _client = new(target);

    /// <summary>The request bytes for a model made by <see cref="OnnxModels"/>, or one that takes X.</summary>
    public static byte[] Request(string model) =>
        GrpcFraming.Frame(GrpcInferClient.Request(model, [RawTensor.Fp32("X", [1], [0f])]).ToByteArray());

    /// <summary>Asks a model for its number.</summary>
    /// <param name="deadline">Given to the server too.</param>
    public Task<InferResult> InferAsync(string model, TimeSpan deadline) => InferAsync(Request(model), deadline);

    /// <inheritdoc cref="InferAsync(string, TimeSpan)"/>
    public async Task<InferResult> InferAsync(ReadOnlyMemory<byte> request, TimeSpan deadline)
    {
        try
        {
            // The server's own word about a missed deadline comes before this client gives up.
            using var patience = new CancellationTokenSource(deadline + TimeSpan.FromSeconds(5));
            var timeout = new KeyValuePair<string, string>("grpc-timeout", string.Create(CultureInfo.InvariantCulture, $"{(long)deadline.TotalMilliseconds}m"));
            var answer = await _client.SendAsync("ModelInfer", request, [timeout], patience.Token);
            return answer.Status == StatusCode.Ok ? InferResult.Answered(NumberIn(answer.Message.Span)) : InferResult.Refused(answer);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or InvalidDataException or IOException)
        {
            return InferResult.Broken(exception);
        }
    }

    /// <param name="path">In the folder of registered models; null for the id.</param>
    /// <param name="settings">A model.json; empty for the one in the folder.</param>
    /// <param name="load">Whether to load it now and wait for that.</param>
    /// <exception cref="GrpcCallException">It was refused.</exception>
    public Task<ModelStatusInfo> RegisterAsync(string id, string settings = "", bool load = false, string? path = null) => CallAsync(
        "registerModel",
        new RegisterModelRequest { ModelId = id, ModelInfo = new ModelInfo { Type = "onnx", Path = path ?? id, Key = settings }, LoadNow = load, Sync = load },
        ModelStatusInfo.Parser);

    public Task<ModelStatusInfo> StatusAsync(string id) => CallAsync("getModelStatus", new GetStatusRequest { ModelId = id }, ModelStatusInfo.Parser);

    public Task<ModelStatusInfo> EnsureLoadedAsync(string id) =>
        CallAsync("ensureLoaded", new EnsureLoadedRequest { ModelId = id, Sync = true }, ModelStatusInfo.Parser);

    /// <summary>Has a model of the repository loaded as its folder holds it now, and waits for that.</summary>
    /// <exception cref="GrpcCallException">It was refused.</exception>
    public Task<RepositoryModelLoadResponse> ReloadAsync(string model) =>
        CallAsync("RepositoryModelLoad", new RepositoryModelLoadRequest { ModelName = model }, RepositoryModelLoadResponse.Parser, GrpcClient.Inference);

    public Task<UnregisterModelResponse> UnregisterAsync(string id) =>
        CallAsync("unregisterModel", new UnregisterModelRequest { ModelId = id }, UnregisterModelResponse.Parser);

    /// <summary>Has an alias refer to a model.</summary>
    /// <param name="wait">Until the move has ended.</param>
    public Task<VModelStatusInfo> SetAliasAsync(string alias, string model, bool wait = true, string expected = "") => CallAsync(
        "setVModel",
        new SetVModelRequest { VModelId = alias, TargetModelId = model, LoadNow = true, Sync = wait, ExpectedTargetModelId = expected },
        VModelStatusInfo.Parser);

    public Task<VModelStatusInfo> AliasAsync(string alias) => CallAsync("getVModelStatus", new GetVModelStatusRequest { VModelId = alias }, VModelStatusInfo.Parser);

    /// <summary>Deletes all aliases and unregisters all models that were registered.</summary>
    public async Task RemoveAllAsync()
    {
        var aliases = await CallAsync("listVModels", new ListVModelsRequest(), ListVModelsResponse.Parser, Registry);
        foreach (var alias in aliases.VModels)
        {
            await CallAsync("deleteVModel", new DeleteVModelRequest { VModelId = alias.VModelId }, DeleteVModelResponse.Parser);
        }

        var models = await CallAsync("listModels", new ListModelsRequest(), ListModelsResponse.Parser, Registry);
        await Task.WhenAll(models.Models.Where(static model => model.Origin == ModelEntry.Types.Origin.Registered).Select(model => UnregisterAsync(model.ModelId)));
    }

    public void Dispose() => _client.Dispose();

    /// <summary>The first element of the first output.</summary>
    private static float NumberIn(ReadOnlySpan<byte> message)
    {
        var raw = ModelInferResponse.Parser.ParseFrom(message).RawOutputContents[0].Span;
        return MemoryMarshal.Read<float>(raw);
    }

    private async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, string service = Mesh)
        where T : IMessage<T>
    {
        using var patience = new CancellationTokenSource(CallTimeout);
        return await _client.CallAsync(service + method, request, parser, patience.Token);
    }
}
