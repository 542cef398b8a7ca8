using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Routing;
using Microsoft.Extensions.Logging;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Gateway.ModelMesh;

/// <summary>What clients may do with models at run time. That a model does not load is its status, not an error of the call.</summary>
internal sealed class ManagedModels(
    IGrainFactory grains, IServingStates states, RouteChanges changes, ILogger<ManagedModels> logger)
{
    /// <exception cref="ServingException">As <see cref="IRegistryGrain.RegisterAsync"/>.</exception>
    public async Task<ModelStatusInfo> RegisterAsync(string model, RegisteredInfo info, bool loadNow, bool sync, CancellationToken cancellationToken)
    {
        var registry = Registry(model);
        var isNew = !states.TryGet(model, out _);
        await registry.RegisterAsync(model, info with { LoadNow = loadNow && sync }).ConfigureAwait(false);
        try
        {
            await registry.SettleAsync(model, cancellationToken).ConfigureAwait(false);
        }
        catch (ServingException exception) when (exception.Failure.Code == StatusCode.AlreadyExists)
        {
            await registry.UnregisterAsync(model).ConfigureAwait(false);
            throw;
        }

        await changes.HearAsync(model, static state => state is not null, cancellationToken).ConfigureAwait(false);
        if (loadNow && sync && isNew && states.TryGet(model, out var state) && WasTried(state))
        {
            return ModelStatuses.Of(state);
        }

        return loadNow
            ? await LoadKnownAsync(model, sync, cancellationToken).ConfigureAwait(false)
            : await GetStatusAsync(model).ConfigureAwait(false);
    }

    /// <exception cref="ServingException">As <see cref="IRegistryGrain.UnregisterAsync"/>.</exception>
    public ValueTask UnregisterAsync(string model) => Registry(model).UnregisterAsync(model);

    /// <summary>NOT_FOUND for an unknown model.</summary>
    public async Task<ModelStatusInfo> GetStatusAsync(string model) =>
        (await FindAsync(model).ConfigureAwait(false))?.Status ?? new ModelStatusInfo { Status = Status.NotFound };

    /// <summary>Everything about one model; null for an unknown one.</summary>
    public async Task<ModelEntry?> FindAsync(string model) =>
        Describe(model, await Registry(model).FindAsync(model).ConfigureAwait(false));

    /// <summary>Loads a model.</summary>
    /// <param name="sync">Whether to wait until it has loaded or failed.</param>
    /// <exception cref="ServingException">NOT_FOUND.</exception>
    public async Task<ModelStatusInfo> LoadAsync(string model, bool sync, CancellationToken cancellationToken)
    {
        if (await FindAsync(model).ConfigureAwait(false) is null)
        {
            throw new ServingException(Failure.NotFound($"model '{model}' is not found"));
        }

        return await LoadKnownAsync(model, sync, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ModelStatusInfo> LoadKnownAsync(string model, bool sync, CancellationToken cancellationToken)
    {
        var loading = ObserveAsync(model, Registry(model).EnsureLoadedAsync(model, CancellationToken.None));
        if (sync)
        {
            await loading.WaitAsync(cancellationToken).ConfigureAwait(false);
            await changes.HearAsync(model, static state => state is null or { IsSettled: true }, cancellationToken).ConfigureAwait(false);
        }

        var status = await GetStatusAsync(model).ConfigureAwait(false);
        if (!loading.IsCompleted && status.Status is Status.NotLoaded or Status.LoadingFailed)
        {
            status.Status = Status.Loading;
        }

        return status;
    }

    /// <summary>Every model, in the order of their ids.</summary>
    public async Task<List<ModelEntry>> ListAsync()
    {
        var entries = new Dictionary<string, RegistryEntry>(StringComparer.Ordinal);
        foreach (var shard in RegistryShards.All)
        {
            foreach (var entry in await grains.GetRegistry(shard).ListAsync().ConfigureAwait(false))
            {
                entries[entry.Model] = entry;
            }
        }

        return
        [
            .. states.All.Select(state => state.Name)
                .Union(entries.Keys)
                .Order(StringComparer.Ordinal)
                .Select(model => Describe(model, entries.GetValueOrDefault(model)))
                .OfType<ModelEntry>(),
        ];
    }

    private ModelEntry? Describe(string model, RegistryEntry? entry)
    {
        states.TryGet(model, out var state);
        var isInRepository = state is { Origin: RegistrationOrigin.Repository };

        // A model that is registered no more may still be about to unload.
        if (!isInRepository && entry?.Info is null)
        {
            return null;
        }

        var described = new ModelEntry
        {
            ModelId = model,
            Origin = isInRepository ? ModelEntry.Types.Origin.Repository : ModelEntry.Types.Origin.Registered,
            Status = ModelStatuses.Of(state),
            AutoDelete = entry?.AutoDelete ?? false,
        };
        if (entry?.Info is { } info && !isInRepository)
        {
            described.ModelInfo = new ModelInfo { Type = info.Type, Path = info.Path, Key = info.Key };
        }

        if (state?.Bounds?.Least is { } least)
        {
            described.MinCopies = (uint)least;
        }

        if (state?.Bounds?.Most is { } most)
        {
            described.MaxCopies = (uint)most;
        }

        described.VModelIds.AddRange(entry?.Aliases ?? []);
        return described;
    }

    /// <summary>Whether a new model was loaded with its registration. A silo of a former version, or one without room, leaves that for a call of its own.</summary>
    private static bool WasTried(ModelServingState state) =>
        state is { Origin: RegistrationOrigin.Registered, IsSettled: true }
        && (state.Problem is not null || state.Versions.Any(static version => version.Failed || version.Replicas.Length > 0));

    private async Task ObserveAsync(string model, ValueTask loading)
    {
        try
        {
            await loading.ConfigureAwait(false);
        }
        catch (ServingException exception) when (exception.Failure.Code is StatusCode.Unavailable or StatusCode.NotFound)
        {
            // The model's status tells.
            return;
        }
        catch (Exception exception)
        {
            Log.LoadNotCarriedOut(logger, exception, model);
            throw;
        }
    }

    private IRegistryGrain Registry(string model) => grains.GetRegistry(RegistryShards.Of(model));
}

/// <summary>A model's serving state in ModelMesh's terms, which know no versions: the best of them counts.</summary>
internal static class ModelStatuses
{
    /// <param name="state">Null for a registered model of which this gateway has not heard yet.</param>
    public static ModelStatusInfo Of(ModelServingState? state)
    {
        if (state is null)
        {
            return new ModelStatusInfo { Status = Status.NotLoaded };
        }

        var info = new ModelStatusInfo { Status = Summarize(state) };
        if (state.Problem is { } problem)
        {
            info.Errors.Add(problem);
        }

        info.Errors.AddRange(state.Versions
            .Where(version => !ServingReasons.IsIntended(version.Reason))
            .OrderByDescending(version => version.Since)
            .Select(version => string.Create(CultureInfo.InvariantCulture, $"version {version.Version}: {version.Reason}")));
        info.ModelCopyInfos.AddRange(state.Versions
            .SelectMany(version => Copies(version))
            .OrderByDescending(replica => replica.Time));
        return info;
    }

    private static Status Summarize(ModelServingState state)
    {
        if (state.Serves)
        {
            return Status.Loaded;
        }

        if (state.Versions.Any(version => version.State == ModelVersionState.Loading))
        {
            return Status.Loading;
        }

        return state.Problem is not null || state.Versions.Any(version => version.Failed) ? Status.LoadingFailed : Status.NotLoaded;
    }

    private static IEnumerable<ModelStatusInfo.Types.ModelCopyInfo> Copies(VersionServingState version)
    {
        switch (version)
        {
            case { State: ModelVersionState.Ready or ModelVersionState.Loading }:
                foreach (var replica in version.Replicas)
                {
                    yield return Copy(replica.Silo.ToParsableString(), Status.Loaded);
                }

                if (version is { State: ModelVersionState.Ready, Replicas.IsEmpty: true })
                {
                    // ModelMesh has no status for a model that its next request loads.
                    yield return Copy("", Status.Loaded);
                }

                foreach (var replica in version.Arriving)
                {
                    yield return Copy(replica.Silo.ToParsableString(), Status.Loading);
                }

                break;
            case { Failed: true }:
                yield return Copy("", Status.LoadingFailed);
                break;
        }

        ModelStatusInfo.Types.ModelCopyInfo Copy(string location, Status status) => new()
        {
            Location = location,
            CopyStatus = status,
            Time = (ulong)(version.Since?.ToUnixTimeMilliseconds() ?? 0),
        };
    }
}
