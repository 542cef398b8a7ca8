using System.Collections.Immutable;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Grpc.Health.V1.HealthCheckResponse.Types;
using StatusCode = Cluster.Contracts.Errors.StatusCode;

namespace Cluster.Unit.Serving;

public sealed class ServingApiTests : IDisposable
{
    private readonly Routing _routing = new();
    private readonly InMemoryServingStates _states;
    private readonly FakeGrains _grains;
    private readonly ManualTimeProvider _time;
    private readonly MetricsHost _metricsHost = new();
    private readonly GatewayOptions _options = new();
    private readonly ServerReadiness _readiness;
    private readonly TestLifetime _lifetime = new();
    private readonly Repository _repository = new();
    private readonly RouteTable _routes;
    private readonly ServingApi _api;

    public ServingApiTests()
    {
        (_states, _grains, _time, _routes) = (_routing.States, _routing.Grains, _routing.Time, _routing.Routes);
        var metrics = new RequestMetrics(_metricsHost.Registry);
        metrics.Follow(_routes);
        _readiness = new ServerReadiness(_states, _lifetime, _options);
        _api = new ServingApi(
            new ServerIdentity("test-server", "1.2.3"),
            _routes,
            _routing.Names,
            _routing.Dispatcher,
            _routing.Router,
            _routing.Rules,
            _states,
            new ModelCatalog(_routes, _routing.Names, _states, _grains, _routing.Chooser, _routing.Loads, _routing.Control),
            _repository,
            _readiness,
            metrics,
            _routing.Control,
            _routing.Cluster,
            _routing.Changes,
            _time,
            new LimitOptions());
    }

    public void Dispose()
    {
        _routing.Dispose();
        _metricsHost.Dispose();
        _readiness.Dispose();
        _lifetime.Dispose();
    }

    [Fact]
    public async Task IsReady_FromTheInitialLoadToTheStop_IsTrue()
    {
        var health = new HealthServiceImpl();
        async Task<ServingStatus> Health(string service) => (await health.Check(new HealthCheckRequest { Service = service }, context: null!)).Status;
        using var readiness = new Readiness(health, _readiness);
        readiness.Follow();
        Assert.False(_api.IsReady);
        Assert.Equal(ServingStatus.NotServing, await Health(""));

        _states.FinishInitialLoad();
        Assert.True(_api.IsReady);
        Assert.Equal(ServingStatus.Serving, await Health(""));
        Assert.Equal(ServingStatus.Serving, await Health("inference.GRPCInferenceService"));
        var unknown = await Assert.ThrowsAsync<RpcException>(() => Health("other"));
        Assert.Equal(Grpc.Core.StatusCode.NotFound, unknown.StatusCode);

        _lifetime.StopApplication();
        Assert.False(_api.IsReady);
        Assert.Equal(ServingStatus.NotServing, await Health(""));
    }

    [Fact]
    public async Task IsReady_WithALeastNumberOfModels_FollowsThem()
    {
        var health = new HealthServiceImpl();
        async Task<ServingStatus> Health() => (await health.Check(new HealthCheckRequest { Service = "" }, context: null!)).Status;
        using var server = new ServerReadiness(_states, _lifetime, new GatewayOptions { MinReadyModels = 2 });
        using var readiness = new Readiness(health, server);
        readiness.Follow();
        _states.FinishInitialLoad();
        _states.Publish(States.Model("a", States.Ready(1), States.Ready(2)));
        _states.Publish(States.Model("b", States.Unavailable(1, "broken")));
        Assert.False(server.IsReady);
        Assert.Equal(ServingStatus.NotServing, await Health());

        _states.Publish(States.Model("b", States.Ready(1)));
        Assert.True(server.IsReady);
        Assert.Equal(ServingStatus.Serving, await Health());

        _states.Publish(States.Model("a", States.Unavailable(1, "gone")));
        Assert.False(server.IsReady);
        Assert.Equal(ServingStatus.NotServing, await Health());
    }

    [Fact]
    public async Task Drain_Signal_ServesOnUnreadyUntilTheTimeIsOverOrASecondSignal()
    {
        foreach (var again in new[] { false, true })
        {
            using var lifetime = new TestLifetime();
            var options = new GatewayOptions { DrainTime = TimeSpan.FromSeconds(20) };
            using var server = new ServerReadiness(_states, lifetime, options);
            var time = new ManualTimeProvider();
            using var draining = new DrainingLifetime(server, lifetime, options, time, NullLogger<DrainingLifetime>.Instance);
            await draining.WaitForStartAsync(CancellationToken.None);
            _states.FinishInitialLoad();
            Assert.True(server.IsReady);

            draining.Drain();
            time.Advance(TimeSpan.FromSeconds(19));
            Assert.False(server.IsReady);
            Assert.False(lifetime.ApplicationStopping.IsCancellationRequested);

            if (again)
            {
                draining.Drain();
            }
            else
            {
                time.Advance(TimeSpan.FromSeconds(1));
            }

            Assert.True(lifetime.ApplicationStopping.IsCancellationRequested);
        }
    }

    [Fact]
    public void GetServerMetadata_Always_NamesTheServer()
    {
        var metadata = _api.GetServerMetadata();

        Assert.Equal(("test-server", "1.2.3"), (metadata.Name, metadata.Version));
        Assert.Contains("model_repository", metadata.Extensions);
    }

    [Fact]
    public async Task IsModelReady_ByState_AnswersAndCounts()
    {
        _states.Publish(States.Model("m", States.Loading(2), States.Ready(1), States.Unavailable(3, "unloaded on request")));
        _states.Publish(States.Model("unloaded", States.Unavailable(1, "unloaded on request")));
        _states.Publish(States.Model("registered", States.Unavailable(2, ServingReasons.NotYetUsed), States.Unavailable(1, ServingReasons.NotChosen)));

        Assert.True(_api.IsModelReady("registered", "", Protocol.Rest));
        Assert.True(_api.IsModelReady("registered", "2", Protocol.Rest));
        Assert.False(_api.IsModelReady("registered", "1", Protocol.Rest));
        Assert.True(_api.IsModelReady("m", "", Protocol.Grpc));
        Assert.True(_api.IsModelReady("m", "1", Protocol.Grpc));
        Assert.False(_api.IsModelReady("m", "2", Protocol.Grpc));
        Assert.False(_api.IsModelReady("m", "3", Protocol.Grpc));
        Assert.False(_api.IsModelReady("unloaded", "", Protocol.Rest));
        Assert.Equal("", _api.WhyNotReady("m", ""));
        Assert.EndsWith("unloaded on request", _api.WhyNotReady("m", "3"), StringComparison.Ordinal);
        Assert.Equal("model 'm' version 2 is being loaded", _api.WhyNotReady("m", "2"));
        Assert.Equal(StatusCode.NotFound, Refusal(() => _api.IsModelReady("m", "4", Protocol.Grpc)));
        Assert.Equal(StatusCode.NotFound, Refusal(() => _api.IsModelReady("other", "", Protocol.Grpc)));
        Assert.Equal(StatusCode.InvalidArgument, Refusal(() => _api.IsModelReady("m", "x", Protocol.Grpc)));

        var scrape = await _metricsHost.ScrapeAsync();
        Assert.Equal(4, scrape["ovms_requests_success{api=KServe,interface=gRPC,method=ModelReady,name=m}"]);
        Assert.Equal(2, scrape["ovms_requests_fail{api=KServe,interface=gRPC,method=ModelReady,name=m}"]);
    }

    [Fact]
    public void GetRepositoryIndex_EveryState_ListsVersionsAscendingByName()
    {
        _states.Publish(States.Model("b", States.Loading(3), States.Ready(2), States.Unavailable(1, "no graph", failed: true)));
        _states.Publish(new ModelServingState("a", [], "bad settings"));
        _states.Publish(new ModelServingState("c", [States.Unavailable(2, "not chosen"), States.Ready(1)], "bad settings"));

        _states.Publish(new ModelServingState("d", [States.Unavailable(1, "no graph", failed: true)], "no version can be loaded: no graph"));

        var rows = _api.GetRepositoryIndex(readyOnly: false, Caller.Anyone).Models.Select(row => $"{row.Name} {row.Version} {row.State} {row.Reason}");

        Assert.Equal(
            [
                "a  UNAVAILABLE bad settings",
                "b 1 UNAVAILABLE no graph",
                "b 2 READY ",
                "b 3 LOADING ",
                "c 1 READY bad settings",
                "c 2 UNAVAILABLE not chosen; bad settings",
                "d 1 UNAVAILABLE no graph",
            ],
            rows);
        Assert.Equal(["b 2", "c 1"], _api.GetRepositoryIndex(readyOnly: true, Caller.Anyone).Models.Select(row => $"{row.Name} {row.Version}"));
    }

    [Fact]
    public async Task GetModelMetadata_ReplicaIsNotThereAnyMore_AsksTheModel()
    {
        _states.Publish(States.Model("m", States.Ready(2, 0), States.Ready(1)));
        _grains.Model("m").Unloaded = new UnloadedReplica(Description(2), null);

        var metadata = await _api.GetModelMetadataAsync("m", "", Protocol.Rest, CancellationToken.None);

        Assert.Equal(["1", "2"], metadata.Versions);
        Assert.Equal(("m", "FP32"), (metadata.Name, metadata.Inputs[0].Datatype));
        Assert.Empty(_grains.Model("m").Calls);
    }

    [Fact]
    public async Task GetModelMetadata_NothingKnown_HasItLoaded()
    {
        _states.Publish(States.Model("m", States.OnDemand(1)));
        var model = _grains.Model("m");
        model.Ensure = (_, _) =>
        {
            model.Unloaded = new UnloadedReplica(Description(1), null);
            return Task.CompletedTask;
        };

        var metadata = await _api.GetModelMetadataAsync("m", "", Protocol.Rest, CancellationToken.None);

        Assert.Equal(["1"], metadata.Versions);
        Assert.Equal(["ensure"], model.Calls);
    }

    [Fact]
    public async Task GetModelMetadata_JustLoaded_NamesItsVersion()
    {
        _states.Publish(States.Model("m", States.Loading(4)));
        _grains.Model("m").Unloaded = new UnloadedReplica(Description(4), null);

        var metadata = await _api.GetModelMetadataAsync("m", "4", Protocol.Rest, CancellationToken.None);

        Assert.Equal(["4"], metadata.Versions);
    }

    [Fact]
    public async Task GetModelStatistics_AllModels_ListsWhatIsReadyAndStillThere()
    {
        _states.Publish(States.Model("b", States.Ready(2), States.Ready(1), States.Loading(3)));
        _states.Publish(States.Model("a", States.Ready(1)));
        _states.Publish(States.Model("c", States.Unavailable(1, "x")));
        _grains.Replica("b/1/0").Statistics = () => new ReplicaStatistics { InferenceCount = 5, ExecutionCount = 4, Success = new DurationTotal(4, 400) };
        _grains.Replica("b/2/0").Statistics = () => new ReplicaStatistics { InferenceCount = 7 };

        // "a" was unloaded since the list was made: its replica refuses.
        var all = await _api.GetModelStatisticsAsync("", "", Caller.Anyone, CancellationToken.None);
        var one = await _api.GetModelStatisticsAsync("b", "1", Caller.Anyone, CancellationToken.None);

        Assert.Equal(["b 1 5", "b 2 7"], all.ModelStats.Select(entry => $"{entry.Name} {entry.Version} {entry.InferenceCount}"));
        var statistics = Assert.Single(one.ModelStats);
        Assert.Equal((4UL, 4UL, 400UL), (statistics.ExecutionCount, statistics.InferenceStats.Success.Count, statistics.InferenceStats.Success.Ns));
        var exception = await Assert.ThrowsAsync<ServingException>(() => _api.GetModelStatisticsAsync("a", "1", Caller.Anyone, CancellationToken.None).AsTask());
        Assert.Equal(FailureKind.Moved, exception.Failure.Kind);
        exception = await Assert.ThrowsAsync<ServingException>(() => _api.GetModelStatisticsAsync("c", "", Caller.Anyone, CancellationToken.None).AsTask());
        Assert.Equal(StatusCode.NotFound, exception.Failure.Code);
    }

    [Fact]
    public async Task LoadAndUnload_KnownModel_AskItsGrainAndAnswerWhenThisProcessHasHeard()
    {
        _states.Publish(States.Model("m", States.Unavailable(1, "unloaded on request")));

        var loading = _api.LoadModelAsync(new RepositoryModelLoadRequest { ModelName = "m" }, Caller.Anyone, CancellationToken.None).AsTask();
        _states.Publish(States.Model("m", States.Loading(1)));
        Assert.False(loading.IsCompleted);
        _states.Publish(States.Model("m", States.Ready(1)));
        await loading;
        Assert.True(_api.IsModelReady("m", "", Protocol.Grpc));
        var unloading = _api.UnloadModelAsync(new RepositoryModelUnloadRequest { RepositoryName = "m" }, Caller.Anyone, CancellationToken.None).AsTask();
        Assert.False(unloading.IsCompleted);
        _states.Publish(States.Model("m", States.Unavailable(1, "unloaded on request")));
        await unloading;
        Assert.False(_api.IsModelReady("m", "", Protocol.Grpc));

        Assert.Equal(["load", "unload"], _grains.Model("m").Calls);
        var unknown = await Assert.ThrowsAsync<ServingException>(
            () => _api.LoadModelAsync(new RepositoryModelLoadRequest { ModelName = "x" }, Caller.Anyone, CancellationToken.None).AsTask());
        Assert.Equal((StatusCode.NotFound, "failed to load 'x': Request for unknown model: 'x' is not found"), (unknown.Failure.Code, unknown.Failure.Message));
        var parameters = await Assert.ThrowsAsync<ServingException>(() => _api.LoadModelAsync(
            new RepositoryModelLoadRequest { ModelName = "m", Parameters = { ["config"] = new ModelRepositoryParameter() } }, Caller.Anyone, CancellationToken.None).AsTask());
        Assert.Equal(StatusCode.InvalidArgument, parameters.Failure.Code);
        Assert.Contains("config", parameters.Message, StringComparison.Ordinal);
        Assert.Equal(2, _grains.Model("m").Calls.Count);
    }

    [Fact]
    public async Task Load_ModelThatWasJustPutIntoTheRepository_ReadsItAndLoadsIt()
    {
        _repository.Read = model =>
        {
            _states.Publish(States.Model(model, States.Ready(1)));
            return true;
        };

        await _api.LoadModelAsync(new RepositoryModelLoadRequest { ModelName = "new" }, Caller.Anyone, CancellationToken.None);

        Assert.Equal(["load"], _grains.Model("new").Calls);
    }

    [Fact]
    public async Task Infer_AnsweredAndRefused_AreCountedByVersion()
    {
        _states.Publish(States.Model("m", States.Ready(2)));
        var replica = _grains.Replica("m/2/0");
        replica.Infer = (_, _) => new(InferReply.Success(PayloadBuffer.CopyOf([1])));
        Assert.True((await InferAsync()).Succeeded);
        replica.Infer = (_, _) => new(InferReply.Failed(Failure.Internal("x")));
        Assert.False((await InferAsync()).Succeeded);
        replica.Infer = (_, _) => new(InferReply.Failed(Failure.Cancelled("x")));
        Assert.False((await InferAsync()).Succeeded);
        _api.CountUnreadable("m", "2", Protocol.Grpc);

        var scrape = await _metricsHost.ScrapeAsync();

        Assert.Equal(1, scrape["ovms_requests_success{api=KServe,interface=gRPC,method=ModelInfer,name=m,version=2}"]);
        Assert.Equal(2, scrape["ovms_requests_fail{api=KServe,interface=gRPC,method=ModelInfer,name=m,version=2}"]);
        Assert.Equal(1, scrape["cluster_requests_cancelled{interface=gRPC,method=ModelInfer,name=m,version=2}"]);
    }

    [Fact]
    public async Task Infer_AnsweredAfterItsCallerGaveUp_CountsAsCancelled()
    {
        _states.Publish(States.Model("m", States.Ready(2)));
        using var caller = new CancellationTokenSource();
        _grains.Replica("m/2/0").Infer = async (_, _) =>
        {
            await caller.CancelAsync();
            return InferReply.Success(PayloadBuffer.CopyOf([1]));
        };

        using var reply = (await _api.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, caller.Token).AsTask().Soon()).Message;

        var scrape = await _metricsHost.ScrapeAsync();
        Assert.NotNull(reply);
        Assert.Equal(1, scrape["cluster_requests_cancelled{interface=gRPC,method=ModelInfer,name=m,version=2}"]);
        Assert.Equal(0, scrape["ovms_requests_success{api=KServe,interface=gRPC,method=ModelInfer,name=m,version=2}"]);
    }

    [Fact]
    public async Task ReloadRepository_Problems_AreHandedOn() =>
        Assert.Equal(["config.json is gone"], await _api.ReloadRepositoryAsync(CancellationToken.None));

    private Task<InferReply> InferAsync() =>
        _api.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, CancellationToken.None).AsTask().Soon();

    private static StatusCode Refusal(Func<bool> ask) => Assert.Throws<ServingException>(() => ask()).Failure.Code;

    private static ModelDescription Description(long version) => new()
    {
        Name = "m",
        Version = version,
        Inputs = [new TensorSpec("x", Datatype.Fp32, [-1, 4])],
        Outputs = [],
        ExecutionProvider = ExecutionProvider.Cpu,
        Concurrency = 1,
        IntraOpThreads = 1,
        QueueLimit = 10,
        VersionPolicy = VersionPolicy.All,
        FileName = "model.onnx",
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Properties = ImmutableSortedDictionary<string, string>.Empty,
    };

    private sealed class Repository : IRepositoryControl
    {
        public Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<string>>(["config.json is gone"]);

        public Func<string, bool> Read { get; set; } = static _ => false;

        public Task<bool> ReadAsync(string model, CancellationToken cancellationToken) => Task.FromResult(Read(model));
    }
}
