using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts;
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
    /// <summary>How the repository index spells <see cref="ModelVersionState.Ready"/>.</summary>
    private const string ReadyState = "READY";

    /// <summary>When to ask again for what ends with other requests.</summary>
    private static readonly TimeSpan RetrySoon = TimeSpan.FromSeconds(1);

    private readonly ServerIdentity _identity;
    private readonly RouteTable _routes;
    private readonly ModelNames _names;
    private readonly InferenceDispatcher _dispatcher;
    private readonly TrafficRouter _traffic;
    private readonly ManagedTraffic _rules;
    private readonly IServingStates _states;
    private readonly IGrainFactory _grains;
    private readonly IRepositoryControl _repository;
    private readonly ServerReadiness _readiness;
    private readonly RequestMetrics _metrics;
    private readonly ReplicaChooser _chooser;
    private readonly ReplicaLoads _loads;
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
        IGrainFactory grains,
        IRepositoryControl repository,
        ServerReadiness readiness,
        RequestMetrics metrics,
        ReplicaChooser chooser,
        ReplicaLoads loads,
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
        _grains = grains;
        _repository = repository;
        _readiness = readiness;
        _metrics = metrics;
        _chooser = chooser;
        _loads = loads;
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
            return route.State.State == ModelVersionState.Ready;
        }

        // A known model of which no version is served is not ready; that is an answer.
        if (version.Length == 0 && _routes.TryFind(model, out _, out _))
        {
            _metrics.Success(model, 0, protocol, ServingMethod.ModelReady, _time.GetElapsedTime(start));
            return false;
        }

        _metrics.Fail(model, 0, protocol, ServingMethod.ModelReady);
        throw new ServingException(failure);
    }

    /// <inheritdoc/>
    public async ValueTask<ModelMetadataResponse> GetModelMetadataAsync(
        string model, string version, Protocol protocol, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        try
        {
            var description = await DescribeAsync(model, version, cancellationToken).ConfigureAwait(false);
            _metrics.Success(model, description.Version, protocol, ServingMethod.ModelMetadata, _time.GetElapsedTime(start));
            return ModelMessages.Metadata(description, ReadyVersions(model, description.Version));
        }
        catch (ServingException)
        {
            _metrics.Fail(model, 0, protocol, ServingMethod.ModelMetadata);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ModelConfig> GetModelConfigAsync(string model, string version, CancellationToken cancellationToken) =>
        ModelMessages.Config(await DescribeAsync(model, version, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async ValueTask<ModelStatisticsResponse> GetModelStatisticsAsync(string model, string version, Caller caller, CancellationToken cancellationToken)
    {
        var response = new ModelStatisticsResponse();
        foreach (var (name, route) in StatisticsRoutes(model, version).Where(route => model.Length > 0 || caller.May(Permission.Read, route.Model)))
        {
            try
            {
                var replicas = await StatisticsOf(name, Route(name, route.Text), cancellationToken).ConfigureAwait(false);
                response.ModelStats.Add(ModelMessages.Statistics(name, route.Text, replicas));
            }
            catch (ServingException) when (version.Length == 0)
            {
                // Unloaded since the list was made: then it is not in the list.
            }
        }

        return response;
    }

    /// <inheritdoc/>
    public RepositoryIndexResponse GetRepositoryIndex(bool readyOnly, Caller caller)
    {
        var index = new RepositoryIndexResponse();
        foreach (var state in _states.All.Where(state => caller.May(Permission.Read, state.Name)).OrderBy(state => state.Name, StringComparer.Ordinal))
        {
            var rows = state.Versions.IsEmpty
                ? [Row(state.Name, "", ModelVersionState.Unavailable, state.Problem ?? "")]
                : state.Versions.Reverse().Select(version => Row(
                    state.Name,
                    version.Version.ToString(CultureInfo.InvariantCulture),
                    version.State,
                    Join(state.Problem, version.Reason)));
            index.Models.AddRange(rows.Where(row => !readyOnly || row.State == ReadyState));
        }

        return index;
    }

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

        var model = Model(name, $"failed to load '{VersionText.Shorten(name)}': ");
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
        var model = Model(name);
        await _control.RunAsync(() => model.UnloadAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        await _changes.HearAsync(name, static state => state is null or { Serves: false }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask ScaleModelAsync(string model, ReplicaBounds? bounds, Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage, model);
        var grain = Model(model);
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
        if (reply.Succeeded)
        {
            _metrics.Success(model, version, call.Protocol, call.Method, _time.GetElapsedTime(start), span);
        }
        else if (reply.Failure.Code == StatusCode.Cancelled)
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

    private static RepositoryIndexResponse.Types.ModelIndex Row(string name, string version, ModelVersionState state, string reason) =>
        new() { Name = name, Version = version, State = state.ToString().ToUpperInvariant(), Reason = reason };

    private static string Join(string? problem, string reason) =>
        problem is null ? reason : reason.Length == 0 ? problem : problem.Contains(reason, StringComparison.Ordinal) ? reason : $"{reason}; {problem}";

    private VersionRoute Route(string model, string version) =>
        _routes.TryRoute(model, version, out var route, out var failure) ? route : throw new ServingException(failure);

    /// <summary>Loads a version that is not in memory only if nothing is known of it yet.</summary>
    private async Task<ModelDescription> DescribeAsync(string model, string version, CancellationToken cancellationToken)
    {
        await _names.WakeAsync(model, cancellationToken).ConfigureAwait(false);
        var route = Route(model, version);
        if (_chooser.Choose(route, default) is { } replica && await AskAsync(replica.Grain.DescribeAsync, cancellationToken).ConfigureAwait(false) is { } loaded)
        {
            return loaded;
        }

        if ((await UnloadedAsync(model, route.Version, cancellationToken).ConfigureAwait(false)).Description is { } known)
        {
            return known;
        }

        _chooser.IsToBeLoaded(route, moved: null, out var missing);
        await _loads.EnsureAsync(model, route.Version, missing, cancellationToken).ConfigureAwait(false);
        return (await UnloadedAsync(model, route.Version, cancellationToken).ConfigureAwait(false)).Description
            ?? throw new ServingException(Failure.Moved($"model '{model}' version {route.Text} was unloaded again"));
    }

    /// <summary>Asks a replica, which may not be there any more.</summary>
    private static async Task<T?> AskAsync<T>(Func<CancellationToken, ValueTask<T?>> ask, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await ask(cancellationToken).ConfigureAwait(false);
        }
        catch (SiloUnavailableException)
        {
            return null;
        }
    }

    private ValueTask<UnloadedReplica> UnloadedAsync(string model, long version, CancellationToken cancellationToken)
    {
        var grain = Model(model);
        return _control.RunAsync(() => grain.GetUnloadedAsync(version), cancellationToken);
    }

    /// <summary>Of the replicas in memory, and of those that were; loads none.</summary>
    private async ValueTask<IReadOnlyList<ReplicaStatistics>> StatisticsOf(string model, VersionRoute route, CancellationToken cancellationToken)
    {
        var replicas = new List<ReplicaStatistics>();
        if ((await UnloadedAsync(model, route.Version, cancellationToken).ConfigureAwait(false)).Statistics is { } past)
        {
            replicas.Add(past);
        }

        foreach (var replica in route.Replicas)
        {
            if (await AskAsync(replica.Grain.GetStatisticsAsync, cancellationToken).ConfigureAwait(false) is { } now)
            {
                replicas.Add(now);
            }
        }

        return replicas.Count > 0 || route.Replicas.Length == 0
            ? replicas
            : throw new ServingException(Failure.Moved($"model '{model}' version {route.Text} is not in memory any more"));
    }

    /// <summary>The versions that answer, ascending; the one that was just asked answers, whether or not the route shows it yet.</summary>
    private IEnumerable<string> ReadyVersions(string model, long asked)
    {
        _routes.TryFind(model, out var route, out _);
        var ready = route?.Versions.Where(version => version.State.State == ModelVersionState.Ready).Select(version => version.Version) ?? [];
        return ready.Append(asked).Distinct().Order().Select(version => version.ToString(CultureInfo.InvariantCulture));
    }

    /// <param name="prefix">Begins what the caller is told of an unknown one.</param>
    private IModelGrain Model(string name, string prefix = "") =>
        _routes.TryFind(name, out _, out var failure) ? _grains.GetModel(name) : throw new ServingException(failure with { Message = prefix + failure.Message });

    private IEnumerable<(string Model, VersionRoute Route)> StatisticsRoutes(string model, string version)
    {
        if (version.Length > 0)
        {
            return [(model, Route(model, version))];
        }

        IEnumerable<ModelRoute> models = _routes.All;
        if (model.Length > 0)
        {
            Route(model, version);
            models = models.Where(route => route.State.Name == model);
        }

        return models
            .OrderBy(route => route.State.Name, StringComparer.Ordinal)
            .SelectMany(route => route.Versions.Reverse().Select(candidate => (route.State.Name, candidate)))
            .Where(candidate => candidate.candidate.State.State == ModelVersionState.Ready);
    }
}
