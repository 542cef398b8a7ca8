using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Tracing;
using Cluster.Gateway.Traffic;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Serving;

/// <inheritdoc cref="IServingApi"/>
internal sealed class ServingApi : IServingApi
{
    /// <summary>The retry hint where room comes with the end of other requests.</summary>
    private static readonly TimeSpan RetrySoon = TimeSpan.FromSeconds(1);

    private readonly ServerIdentity _identity;
    private readonly RouteTable _routes;
    private readonly ModelNames _names;
    private readonly InferenceDispatcher _dispatcher;
    private readonly TrafficRouter _traffic;
    private readonly ManagedTraffic _rules;
    private readonly IServingStates _states;
    private readonly ModelCatalog _catalog;
    private readonly IRepositoryControl _repository;
    private readonly ServerReadiness _readiness;
    private readonly RequestMetrics _metrics;
    private readonly ControlCalls _control;
    private readonly ClusterCalls _cluster;
    private readonly RouteChanges _changes;
    private readonly TimeProvider _time;
    private readonly IRuntimeVersions? _runtimes;
    private readonly long _maxBytes;
    private long _bytes;

    public ServingApi(
        ServerIdentity identity,
        RouteTable routes,
        ModelNames names,
        InferenceDispatcher dispatcher,
        TrafficRouter traffic,
        ManagedTraffic rules,
        IServingStates states,
        ModelCatalog catalog,
        IRepositoryControl repository,
        ServerReadiness readiness,
        RequestMetrics metrics,
        ControlCalls control,
        ClusterCalls cluster,
        RouteChanges changes,
        TimeProvider time,
        LimitOptions limits,
        IRuntimeVersions? runtimes = null)
    {
        _maxBytes = limits.InFlightMiB > 0 ? (long)limits.InFlightMiB << 20 : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;
        _identity = identity;
        _routes = routes;
        _names = names;
        _dispatcher = dispatcher;
        _traffic = traffic;
        _rules = rules;
        _states = states;
        _catalog = catalog;
        _repository = repository;
        _readiness = readiness;
        _metrics = metrics;
        _control = control;
        _cluster = cluster;
        _changes = changes;
        _time = time;
        _runtimes = runtimes;
    }

    /// <inheritdoc/>
    public bool IsReady => _readiness.IsReady;

    /// <inheritdoc/>
    public ModelTarget Resolve(string name, HttpContext http)
    {
        var header = ModelHeaders.Read(http.Request.Headers);
        var caller = Caller.Of(http);
        var target = caller == Caller.Anyone ? _names.Resolve(name, header) : _names.Resolve(name, header, caller, RouteAccess.Of(http).Permission);
        return target.Ticket is { } ticket && ticket.Rule.StickyOf(http.Request.Headers) is { } sticky ? target with { Ticket = ticket with { Sticky = sticky } } : target;
    }

    /// <inheritdoc/>
    public ServerMetadataResponse GetServerMetadata() =>
        new() { Name = _identity.Name, Version = _identity.Version, Extensions = { ServerIdentity.Extensions }, Runtimes = { _runtimes?.All ?? [] } };

    /// <inheritdoc/>
    public bool IsModelReady(string model, string version, Protocol protocol)
    {
        var start = _time.GetTimestamp();
        if (_routes.TryFind(model, version, out var route, out var failure))
        {
            _metrics.Success(model, route.Version, protocol, ServingMethod.ModelReady, _time.GetElapsedTime(start));
            return route.State.State == ModelVersionState.Ready || route.WaitsForUse;
        }

        // A known model of which no version is served is an answer too: it is not ready, unless its first request loads it.
        if (version.Length == 0 && _routes.TryFind(model, out _, out _))
        {
            _metrics.Success(model, 0, protocol, ServingMethod.ModelReady, _time.GetElapsedTime(start));
            return _routes.WaitsForUse(model);
        }

        _metrics.Fail(model, 0, protocol, ServingMethod.ModelReady);
        throw new ServingException(failure);
    }

    /// <inheritdoc/>
    public string WhyNotReady(string model, string version) => !_routes.TryRoute(model, version, out var route, out var failure) ? failure.Message
        : route.State.State == ModelVersionState.Loading ? $"model '{model}' version {route.Text} is being loaded" : "";

    /// <inheritdoc/>
    public async ValueTask<ModelMetadataResponse> GetModelMetadataAsync(
        string model, string version, Protocol protocol, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        try
        {
            var description = await _catalog.DescribeAsync(model, version, cancellationToken).ConfigureAwait(false);
            _metrics.Success(model, description.Version, protocol, ServingMethod.ModelMetadata, _time.GetElapsedTime(start));
            return ModelMessages.Metadata(description, _catalog.ReadyVersions(model, description.Version));
        }
        catch (ServingException)
        {
            _metrics.Fail(model, 0, protocol, ServingMethod.ModelMetadata);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ModelConfig> GetModelConfigAsync(string model, string version, CancellationToken cancellationToken) =>
        ModelMessages.Config(await _catalog.DescribeAsync(model, version, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public ValueTask<ModelStatisticsResponse> GetModelStatisticsAsync(string model, string version, Caller caller, CancellationToken cancellationToken) =>
        _catalog.GetStatisticsAsync(model, version, caller, cancellationToken);

    /// <inheritdoc/>
    public RepositoryIndexResponse GetRepositoryIndex(bool readyOnly, Caller caller) => _catalog.GetIndex(readyOnly, caller);

    /// <inheritdoc/>
    public async ValueTask LoadModelAsync(RepositoryModelLoadRequest request, Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage, ModelName(request.ModelName, request.RepositoryName));
        if (request.Parameters.Count > 0)
        {
            throw ServingException.InvalidArgument(
                $"failed to load '{ModelName(request.ModelName, request.RepositoryName)}': load takes no parameters here, got " +
                $"{string.Join(", ", request.Parameters.Keys.Order(StringComparer.Ordinal))}; settings are in model.json beside the versions");
        }

        var name = ModelName(request.ModelName, request.RepositoryName);
        if (await _repository.ReadAsync(name, cancellationToken).ConfigureAwait(false))
        {
            await _changes.HearAsync(name, static state => state is not null, cancellationToken).ConfigureAwait(false);
        }

        var model = _catalog.Grain(name, $"failed to load '{VersionText.Shorten(name)}': ");
        await _control.RunAsync(() => model.LoadAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        await _changes.HearAsync(name, static state => state is null or { IsSettled: true }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask UnloadModelAsync(RepositoryModelUnloadRequest request, Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage, ModelName(request.ModelName, request.RepositoryName));
        foreach (var parameter in request.Parameters.Keys.Where(key => key != "unload_dependents"))
        {
            throw ServingException.InvalidArgument($"unknown parameter '{parameter}' of unload, expected unload_dependents");
        }

        var name = ModelName(request.ModelName, request.RepositoryName);
        var model = _catalog.Grain(name);
        await _control.RunAsync(() => model.UnloadAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        await _changes.HearAsync(name, static state => state is null or { Serves: false }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask ScaleModelAsync(string model, ReplicaBounds? bounds, Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage, model);
        var grain = _catalog.Grain(model);
        return _control.RunAsync(() => grain.ScaleAsync(bounds, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<ClusterOverview> GetClusterAsync(CancellationToken cancellationToken)
    {
        var cluster = await _cluster.AskAsync(static grain => grain.DescribeAsync(), cancellationToken).ConfigureAwait(false);
        return new ClusterOverview(cluster, [.. _states.All.OrderBy(state => state.Name, StringComparer.Ordinal)], _time.GetUtcNow(), _dispatcher.Health.IsStoreReachable) { Aliases = Aliases };
    }

    /// <inheritdoc/>
    public ValueTask<NodeDescription> DrainSiloAsync(string silo, bool drains, CancellationToken cancellationToken) =>
        _cluster.RunAsync(grain => grain.DrainAsync(silo, drains), cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<AliasState> Aliases => _rules.Aliases;

    /// <inheritdoc/>
    public ValueTask<AliasState> SetTrafficAsync(string alias, TrafficRule? rule, bool wait, CancellationToken cancellationToken) =>
        _rules.SetAsync(alias, rule, wait, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AliasState> RollBackAsync(string alias, CancellationToken cancellationToken) => _rules.RollBackAsync(alias, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<PlacementDescription>> ExplainPlacementAsync(string model, CancellationToken cancellationToken) =>
        _cluster.AskAsync(grain => grain.ExplainAsync(model), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) => _repository.ReloadAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<InferReply> InferAsync(InferCall call, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        var bytes = call.Message.Length;
        if ((call.Caller.Hold(bytes) ?? HoldTogether(call.Caller, bytes)) is { } refusal)
        {
            call.Message.Dispose();
            _metrics.Fail(call.Model, 0, call.Protocol, call.Method);
            return InferReply.Failed(refusal);
        }

        try
        {
            return await CountAsync(call, start, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            call.Caller.Release(bytes);
            Interlocked.Add(ref _bytes, -bytes);
        }
    }

    private Failure? HoldTogether(Caller caller, long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= _maxBytes)
        {
            return null;
        }

        Interlocked.Add(ref _bytes, -bytes);
        caller.Release(bytes);
        return Failure.Exhausted($"this gateway has requests of {_maxBytes >> 20} MiB in flight, as many as it may", RetrySoon);
    }

    private async ValueTask<InferReply> CountAsync(InferCall call, long start, CancellationToken cancellationToken)
    {
        using var span = CallSpans.BeginInfer(call);
        var answer = call.Ticket is null
            ? await _dispatcher.InferAsync(call, cancellationToken).ConfigureAwait(false)
            : await _traffic.InferAsync(call, call.Ticket, cancellationToken).ConfigureAwait(false);
        if (span is not null)
        {
            CallSpans.EndInfer(span, answer);
        }

        var (reply, model, version) = answer;

        // A run does not stop amid an operator: its answer may come when its caller waits no more.
        if (reply.Succeeded && !cancellationToken.IsCancellationRequested)
        {
            _metrics.Success(model, version, call.Protocol, call.Method, _time.GetElapsedTime(start), span);
        }
        else if (reply.Succeeded || reply.Failure.Code == StatusCode.Cancelled)
        {
            _metrics.Cancelled(model, version, call.Protocol, call.Method);
        }
        else
        {
            _metrics.Fail(model, version, call.Protocol, call.Method);
        }

        return reply;
    }

    /// <inheritdoc/>
    public void CountUnreadable(string model, string version, Protocol protocol) =>
        _metrics.Fail(model, _routes.TryFind(model, version, out var route, out _) ? route.Version : 0, protocol, ServingMethod.ModelInfer);

    /// <summary>In the form of KServe's own proto the model's name stands where Triton has the repository's.</summary>
    internal static string ModelName(string modelName, string repositoryName) => modelName.Length > 0 ? modelName : repositoryName;
}

/// <summary>How the server names itself in its metadata.</summary>
/// <param name="Name">Configurable, because some clients insist on one.</param>
/// <param name="Version">The product's version.</param>
internal sealed record ServerIdentity(string Name, string Version)
{
    /// <summary>The protocol's extensions that work here, by the names that clients look for.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
        ["classification", "model_repository", "model_configuration", "binary_tensor_data", "parameters", "statistics"];
}
