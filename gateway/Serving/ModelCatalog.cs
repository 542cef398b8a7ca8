using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;

namespace Cluster.Gateway.Serving;

/// <summary>What is known of the models: their descriptions, their statistics and the repository's index.</summary>
internal sealed class ModelCatalog(
    RouteTable routes, ModelNames names, IServingStates states, IGrainFactory grains, ReplicaChooser chooser, ReplicaLoads loads, ControlCalls control)
{
    /// <summary>How the repository index spells <see cref="ModelVersionState.Ready"/>.</summary>
    private const string ReadyState = "READY";

    /// <exception cref="ServingException">NOT_FOUND: there is no such model.</exception>
    /// <param name="prefix">Begins the error text for an unknown model.</param>
    public IModelGrain Grain(string name, string prefix = "") =>
        routes.TryFind(name, out _, out var failure) ? grains.GetModel(name) : throw new ServingException(failure with { Message = prefix + failure.Message });

    /// <summary>Loads a version that is not in memory only if nothing is known of it yet.</summary>
    public async Task<ModelDescription> DescribeAsync(string model, string version, CancellationToken cancellationToken)
    {
        await names.WakeAsync(model, cancellationToken).ConfigureAwait(false);
        var route = Route(model, version);
        if (chooser.Choose(route, default) is { } replica && await AskAsync(replica.Grain.DescribeAsync, cancellationToken).ConfigureAwait(false) is { } loaded)
        {
            return loaded;
        }

        if ((await UnloadedAsync(model, route.Version, cancellationToken).ConfigureAwait(false)).Description is { } known)
        {
            return known;
        }

        chooser.IsToBeLoaded(route, moved: null, out var missing);
        await loads.EnsureAsync(model, route.Version, missing, cancellationToken).ConfigureAwait(false);
        return (await UnloadedAsync(model, route.Version, cancellationToken).ConfigureAwait(false)).Description
            ?? throw new ServingException(Failure.Moved($"model '{model}' version {route.Text} was unloaded again"));
    }

    /// <summary>The versions that answer, ascending. The version that has just answered is among them, even if the route does not show it yet.</summary>
    public IEnumerable<string> ReadyVersions(string model, long asked)
    {
        routes.TryFind(model, out var route, out _);
        var ready = route?.Versions.Where(version => version.State.State == ModelVersionState.Ready).Select(version => version.Version) ?? [];
        return ready.Append(asked).Distinct().Order().Select(version => version.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Statistics of one version, or, with an empty version or model, of all that are ready and that the caller may see.</summary>
    public async ValueTask<ModelStatisticsResponse> GetStatisticsAsync(string model, string version, Caller caller, CancellationToken cancellationToken)
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

    /// <summary>The models that the caller may see.</summary>
    public RepositoryIndexResponse GetIndex(bool readyOnly, Caller caller)
    {
        var index = new RepositoryIndexResponse();
        foreach (var state in states.All.Where(state => caller.May(Permission.Read, state.Name)).OrderBy(state => state.Name, StringComparer.Ordinal))
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

    private VersionRoute Route(string model, string version) =>
        routes.TryRoute(model, version, out var route, out var failure) ? route : throw new ServingException(failure);

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
        var grain = Grain(model);
        return control.RunAsync(() => grain.GetUnloadedAsync(version), cancellationToken);
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

    private IEnumerable<(string Model, VersionRoute Route)> StatisticsRoutes(string model, string version)
    {
        if (version.Length > 0)
        {
            return [(model, Route(model, version))];
        }

        IEnumerable<ModelRoute> models = routes.All;
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

    private static RepositoryIndexResponse.Types.ModelIndex Row(string name, string version, ModelVersionState state, string reason) =>
        new() { Name = name, Version = version, State = state.ToString().ToUpperInvariant(), Reason = reason };

    private static string Join(string? problem, string reason) =>
        problem is null ? reason : reason.Length == 0 ? problem : problem.Contains(reason, StringComparison.Ordinal) ? reason : $"{reason}; {problem}";
}

/// <summary>The model repository, asked where the cluster's controller watches it.</summary>
internal sealed class RemoteRepository(ClusterCalls cluster) : IRepositoryControl
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken) =>
        await cluster.RunAsync(grain => grain.ReloadRepositoryAsync(cancellationToken), cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<bool> ReadAsync(string model, CancellationToken cancellationToken) =>
        await cluster.RunAsync(grain => grain.ReadModelAsync(model, cancellationToken), cancellationToken).ConfigureAwait(false);
}
