using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>
/// From a model's name and version to its replicas, kept up to date from this process's replica of the serving states. Finding a route takes
/// no lock, no network and no allocation.
/// </summary>
internal sealed class RouteTable : IDisposable
{
    private static readonly TimeSpan RetryFailedLoad = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, ModelRoute> _routes = new(StringComparer.Ordinal);
    private readonly IServingStates _states;
    private readonly IGrainFactory _grains;
    private readonly ILocalReplicas? _local;

    /// <param name="local">The replicas of this process; null in one that holds none.</param>
    public RouteTable(IServingStates states, IGrainFactory grains, ILocalReplicas? local = null)
    {
        _states = states;
        _grains = grains;
        _local = local;
        states.Changed += Update;
        foreach (var state in states.All)
        {
            Update(state.Name);
        }
    }

    /// <summary>Called after a model's route was replaced, with the old one and the new one, null where there is none.</summary>
    public event Action<ModelRoute?, ModelRoute?>? Changed;

    /// <summary>Every known model, in no order.</summary>
    public IEnumerable<ModelRoute> All => _routes.Values;

    /// <summary>Whether there is such a model, served or not.</summary>
    public bool Contains(string model) => _routes.ContainsKey(model);

    /// <summary>Whether the model is registered and waits for its first request.</summary>
    public bool WaitsForUse(string model) => _routes.TryGetValue(model, out var route) && route.WaitsForUse;

    /// <summary>The model's route, or why there is none.</summary>
    public bool TryFind(string model, [NotNullWhen(true)] out ModelRoute? route, [NotNullWhen(false)] out Failure? failure)
    {
        failure = _routes.TryGetValue(model, out route)
            ? null
            : Failure.NotFound($"Request for unknown model: '{VersionText.Shorten(model)}' is not found");
        return failure is null;
    }

    /// <summary>The version's route in any state, or why there is none.</summary>
    /// <param name="version">Digits; empty for the server's choice.</param>
    public bool TryFind(
        string model, string version, [NotNullWhen(true)] out VersionRoute? route, [NotNullWhen(false)] out Failure? failure)
    {
        route = null;
        if (!TryFind(model, out var modelRoute, out failure))
        {
            return false;
        }

        if (version.Length == 0)
        {
            route = modelRoute.Default;
            failure = route is null ? NothingServes(modelRoute) : null;
            return route is not null;
        }

        foreach (var candidate in modelRoute.Versions)
        {
            if (candidate.Text == version)
            {
                route = candidate;
                return true;
            }
        }

        failure = VersionText.IsNumber(version)
            ? Failure.NotFound($"Request for unknown model: '{model}' version {version} is not found; its versions are {Describe(modelRoute)}")
            : VersionText.NotANumber(version, model);
        return false;
    }

    /// <summary>The way of requests for a version, or why there is none. It may have to be loaded first.</summary>
    public bool TryRoute(
        string model, string version, [NotNullWhen(true)] out VersionRoute? route, [NotNullWhen(false)] out Failure? failure)
    {
        if (!TryFind(model, version, out route, out failure))
        {
            return false;
        }

        if (route.TakesRequests)
        {
            return true;
        }

        failure = TryFind(model, out var all, out var gone) ? NotServed(all.State, route.State) : gone;
        return false;
    }

    public void Dispose() => _states.Changed -= Update;

    private static Failure NothingServes(ModelRoute model)
    {
        if (model.Versions.FirstOrDefault(version => version.State.Failed) is { } failed)
        {
            return NotServed(model.State, failed.State);
        }

        return model.State.Problem is { } problem
            ? CannotBeServed(model.State.Name, problem)
            : Failure.NotFound($"Request for unknown model: '{model.State.Name}' has no available versions");
    }

    private static Failure NotServed(ModelServingState model, VersionServingState version)
    {
        if (version.Failed)
        {
            return new Failure(
                version.NoSilo ? StatusCode.FailedPrecondition : StatusCode.Unavailable,
                string.Create(CultureInfo.InvariantCulture, $"failed to load model '{model.Name}' version {version.Version}: {version.Reason}"),
                RetryFailedLoad);
        }

        return version.Reason.Length == 0 && model.Problem is { } problem
            ? CannotBeServed(model.Name, problem)
            : Failure.NotFound(string.Create(
                CultureInfo.InvariantCulture, $"Request for unknown model: '{model.Name}' version {version.Version} is not served: {version.Reason}"));
    }

    private static Failure CannotBeServed(string model, string problem) =>
        Failure.Unavailable($"model '{model}' cannot be served: {problem}", RetryFailedLoad);

    private static string Describe(ModelRoute route) => string.Join(", ", route.Versions.Take(20).Select(version => version.Text));

    /// <summary>
    /// Reads the state itself, so that of two changes at once the later reader sees the latest, whichever came first.
    /// </summary>
    private void Update(string name)
    {
        lock (_routes)
        {
            _routes.TryGetValue(name, out var old);
            if (!_states.TryGet(name, out var state))
            {
                _routes.TryRemove(name, out _);
                Changed?.Invoke(old, null);
                return;
            }

            var route = new ModelRoute(
                state,
                [.. state.Versions.Select(version => Route(name, version, old?.Versions.FirstOrDefault(known => known.Version == version.Version)))]);
            _routes[name] = route;
            Changed?.Invoke(old, route);
        }
    }

    private VersionRoute Route(string name, VersionServingState state, VersionRoute? old) =>
        new(state, [.. state.Replicas.Select(replica => Route(new ModelReplicaId(name, state.Version, replica.Number, replica.Silo), old?.Replicas))]);

    private ReplicaRoute Route(ModelReplicaId id, ReplicaRoute[]? old) =>
        old?.FirstOrDefault(replica => replica.Id == id)
        ?? new ReplicaRoute(id, _grains.GetReplica(id), _local?.IsHere(id.Silo) == true ? _local : null, new ReplicaInFlight());
}

/// <summary>Where requests for one model go; replaced as a whole when its serving state changes.</summary>
internal sealed class ModelRoute
{
    public ModelRoute(ModelServingState state, VersionRoute[] versions)
    {
        State = state;
        Versions = versions;
        Default = versions.FirstOrDefault(version => version.State.State == ModelVersionState.Ready)
            ?? versions.FirstOrDefault(version => version.State.State == ModelVersionState.Loading);
        WaitsForUse = versions.Any(static version => version.WaitsForUse);
    }

    public ModelServingState State { get; }

    /// <summary>Highest first.</summary>
    public VersionRoute[] Versions { get; }

    /// <summary>
    /// The version for requests without one: the highest that is ready, else the highest that loads; null where none is served.
    /// </summary>
    public VersionRoute? Default { get; }

    /// <summary>Whether the first request is to load it.</summary>
    public bool WaitsForUse { get; }
}

/// <summary>One version of a model, with references to the replicas that take its requests.</summary>
internal sealed class VersionRoute(VersionServingState state, ReplicaRoute[] replicas)
{
    public long Version => state.Version;

    /// <summary>The version as text.</summary>
    public string Text { get; } = state.Version.ToString(CultureInfo.InvariantCulture);

    public VersionServingState State => state;

    /// <summary>Whether requests for it are answered, if need be after waiting for a load.</summary>
    public bool TakesRequests => state.State is ModelVersionState.Ready or ModelVersionState.Loading;

    /// <summary>Whether the model's first request is to load it.</summary>
    public bool WaitsForUse => state.Reason == ServingReasons.NotYetUsed;

    /// <summary>Empty for a version that is not loaded.</summary>
    public ReplicaRoute[] Replicas => replicas;
}

/// <summary>Versions as clients write them: digits alone, no leading zero, as the repository's folders.</summary>
internal static class VersionText
{
    private const int MaxLength = 19;

    /// <param name="version">Not empty.</param>
    public static bool IsNumber(string version) => version[0] != '0' && version.Length <= MaxLength && !version.AsSpan().ContainsAnyExceptInRange('0', '9');

    /// <summary>INVALID_ARGUMENT for a text that is no version.</summary>
    public static Failure NotANumber(string version, string model) => Failure.InvalidArgument(
        $"failed to get model version from specified version string '{Shorten(version)}' for model '{Shorten(model)}': a version is a positive integer such as 1. " +
        "Leave it out for the version that the model serves by default");

    /// <summary>Names and versions of requests in errors.</summary>
    public static string Shorten(string text) => text.Length <= 256 ? text : text[..256] + "…";
}

/// <summary>One replica of a version that takes requests.</summary>
/// <param name="id">Which, and where it is.</param>
/// <param name="grain">To call it by a message.</param>
/// <param name="local">The replicas of this process, if it is among them; else null.</param>
/// <param name="load">What this gateway has on its way to it; the same object for as long as the replica is in the route.</param>
internal sealed class ReplicaRoute(ModelReplicaId id, IModelReplicaGrain grain, ILocalReplicas? local, ReplicaInFlight load)
{
    public ModelReplicaId Id => id;

    public int Number => id.Number;

    public SiloAddress Silo => id.Silo;

    public IModelReplicaGrain Grain => grain;

    public ReplicaInFlight Load => load;

    /// <summary>Whether it is loaded in this process and would run a request at once.</summary>
    public bool HasRoomHere => local is not null && local.TryGet(id, out var replica) && replica.HasRoom;

    /// <summary>Calls the replica: one of this process without a message.</summary>
    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (local is null)
        {
            return grain.InferAsync(request, cancellationToken);
        }

        return local.TryGet(id, out var replica)
            ? replica.InferAsync(request, cancellationToken)
            : ValueTask.FromResult(InferReply.Failed(Failure.Moved($"replica {id.Number} of model '{id.Model}' is not loaded here")));
    }
}

/// <summary>Requests of this gateway that a replica has not answered yet. Thread-safe, lock-free.</summary>
internal sealed class ReplicaInFlight
{
    private int _inFlight;

    public int InFlight => Volatile.Read(ref _inFlight);

    public void Begin() => Interlocked.Increment(ref _inFlight);

    public void End() => Interlocked.Decrement(ref _inFlight);
}
