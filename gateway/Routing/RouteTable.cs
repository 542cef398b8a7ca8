using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
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
