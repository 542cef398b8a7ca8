using System.Collections.Immutable;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Registry;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Answers what a test sets, and keeps what it was asked. Reads messages with Google's parser, not with ours.</summary>
internal sealed class FakeServingApi : IServingApi
{
    public ClusterOverview? Cluster { get; set; }

    public bool IsReady { get; set; } = true;

    /// <summary>What every call but inference throws, if set.</summary>
    public Exception? Error { get; set; }

    public bool ModelReady { get; set; } = true;

    public ModelMetadataResponse Metadata { get; set; } = new();

    public ModelConfig Config { get; set; } = new();

    public ModelStatisticsResponse Statistics { get; set; } = new();

    public RepositoryIndexResponse Index { get; set; } = new();

    public IReadOnlyList<string> Problems { get; set; } = [];

    public Func<InferCall, ModelInferRequest, CancellationToken, ValueTask<InferReply>> Infer { get; set; } =
        static (_, request, _) => ValueTask.FromResult(Answer(new ModelInferResponse { ModelName = request.ModelName, ModelVersion = "1", Id = request.Id }));

    public ModelInferRequest? LastRequest { get; private set; }

    public InferCall? LastCall { get; private set; }

    /// <summary>Model and version of the last call that names them.</summary>
    public (string Model, string Version)? Asked { get; private set; }

    public RepositoryModelLoadRequest? LastLoad { get; private set; }

    public RepositoryModelUnloadRequest? LastUnload { get; private set; }

    public bool? AskedReadyOnly { get; private set; }

    /// <summary>Sees each inference message before it is given back.</summary>
    public Action<PayloadBuffer>? Observe { get; set; }

    public List<(string Model, string Version)> Unreadable { get; } = [];

    public static InferReply Answer(ModelInferResponse response) => InferReply.Success(PayloadBuffer.CopyOf(response.ToByteArray()));

    /// <summary>Answers every request with the same one output.</summary>
    public void AnswerWith(string datatype, long[] shape, byte[] raw, string name = "OUT") => Infer = (_, request, _) =>
    {
        var response = new ModelInferResponse { ModelName = request.ModelName, ModelVersion = "1", Id = request.Id };
        response.Outputs.Add(new ModelInferResponse.Types.InferOutputTensor { Name = name, Datatype = datatype, Shape = { shape } });
        response.RawOutputContents.Add(ByteString.CopyFrom(raw));
        return ValueTask.FromResult(Answer(response));
    };

    /// <summary>Aliases by name; headers are for the real one.</summary>
    public Dictionary<string, string> Aliases { get; } = [];

    public ModelTarget Resolve(string name, HttpContext http) =>
        Aliases.TryGetValue(name, out var model) ? new ModelTarget(model, name) : new ModelTarget(name, null);

    public ServerMetadataResponse GetServerMetadata() =>
        Checked(new ServerMetadataResponse { Name = "cluster", Version = "0.1", Extensions = { "binary_tensor_data", "statistics" }, Runtimes = { "1.31.1" } });

    public bool IsModelReady(string model, string version, Protocol protocol) => Checked(ModelReady, model, version);

    public string WhyNotReady(string model, string version) => "unloaded on request";

    public ValueTask<ModelMetadataResponse> GetModelMetadataAsync(string model, string version, Protocol protocol, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Checked(Metadata, model, version));

    public ValueTask<ModelConfig> GetModelConfigAsync(string model, string version, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Checked(Config, model, version));

    public ValueTask<ModelStatisticsResponse> GetModelStatisticsAsync(string model, string version, Caller caller, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Checked(Statistics, model, version));

    public RepositoryIndexResponse GetRepositoryIndex(bool readyOnly, Caller caller)
    {
        AskedReadyOnly = readyOnly;
        return Checked(Index);
    }

    public ValueTask LoadModelAsync(RepositoryModelLoadRequest request, Caller caller, CancellationToken cancellationToken)
    {
        LastLoad = Checked(request, request.ModelName, "");
        return ValueTask.CompletedTask;
    }

    public ValueTask UnloadModelAsync(RepositoryModelUnloadRequest request, Caller caller, CancellationToken cancellationToken)
    {
        LastUnload = Checked(request, request.ModelName, "");
        return ValueTask.CompletedTask;
    }

    public ValueTask<ClusterOverview> GetClusterAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Checked(Cluster!));

    public (string Silo, bool Drains)? LastDrain { get; private set; }

    public ValueTask<NodeDescription> DrainSiloAsync(string silo, bool drains, CancellationToken cancellationToken)
    {
        LastDrain = (silo, drains);
        return ValueTask.FromResult(Checked(new NodeDescription { Silo = silo, Name = "one", Status = "Active", Copies = 3, Draining = drains }));
    }

    public (string Model, ReplicaBounds? Bounds)? LastScale { get; private set; }

    public ValueTask ScaleModelAsync(string model, ReplicaBounds? bounds, Caller caller, CancellationToken cancellationToken)
    {
        LastScale = Checked((model, bounds), model, "");
        return ValueTask.CompletedTask;
    }

    /// <summary>What is known of aliases, beside where they lead.</summary>
    public List<AliasState> AliasStates { get; } = [];

    IReadOnlyList<AliasState> IServingApi.Aliases => AliasStates;

    /// <summary>The last rule that was set, with its alias and whether its load was waited for.</summary>
    public (string Alias, TrafficRule? Rule, bool Wait)? LastTraffic { get; private set; }

    public ValueTask<AliasState> SetTrafficAsync(string alias, TrafficRule? rule, bool wait, CancellationToken cancellationToken)
    {
        LastTraffic = (alias, rule, wait);
        return ValueTask.FromResult(Checked(new AliasState(alias, null, "m", "m", Traffic: rule is null ? null : new TrafficState(rule, 7))));
    }

    public ValueTask<AliasState> RollBackAsync(string alias, CancellationToken cancellationToken) => ValueTask.FromResult(Checked(AliasStates.Single(state => state.Alias == alias)));

    public ImmutableArray<PlacementDescription> Placement { get; set; } = [];

    public ValueTask<ImmutableArray<PlacementDescription>> ExplainPlacementAsync(string model, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Checked(Placement, model, ""));

    public Task<IReadOnlyList<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) => Task.FromResult(Checked(Problems));

    public ValueTask<InferReply> InferAsync(InferCall call, CancellationToken cancellationToken)
    {
        using var message = call.Message;
        LastCall = call;
        Observe?.Invoke(message);
        var request = ModelInferRequest.Parser.ParseFrom(message.Span);
        LastRequest = request;
        return Infer(call, request, cancellationToken);
    }

    public void CountUnreadable(string model, string version, Protocol protocol) => Unreadable.Add((model, version));

    private T Checked<T>(T result, string model, string version)
    {
        Asked = (model, version);
        return Checked(result);
    }

    private T Checked<T>(T result) => Error is null ? result : throw Error;
}
