using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <inheritdoc cref="IModelGrain"/>
/// <remarks>
/// Not reentrant: one change at a time is carried out to its end, whether or not the caller still waits. <see cref="ModelPlan"/> says what to do next; this class does it, keeps it,
/// and tells the gateways.
/// </remarks>
internal sealed class ModelGrain : Grain, IModelGrain
{
    private readonly IPersistentState<ModelGrainState> _stored;
    private readonly IRegistrations _registrations;
    private readonly IServingStates _states;
    private readonly LoadMetrics _loadMetrics;
    private readonly ILogger<ModelGrain> _logger;

    public ModelGrain(
        [PersistentState("model", ModelGrains.StorageName)] IPersistentState<ModelGrainState> stored,
        IRegistrations registrations,
        IServingStates states,
        LoadMetrics loadMetrics,
        ILogger<ModelGrain> logger)
    {
        _stored = stored;
        _registrations = registrations;
        _states = states;
        _loadMetrics = loadMetrics;
        _logger = logger;
    }

    private string Name => this.GetPrimaryKeyString();

    private ModelGrainState State => _stored.State;

    /// <inheritdoc/>
    public async ValueTask ApplyAsync(ModelRegistration registration, bool retryFailed, CancellationToken cancellationToken)
    {
        if (registration.Problem is { } problem && problem != State.Registration?.Problem)
        {
            Log.RegistrationProblem(_logger, Name, problem);
        }

        // Settings that cannot be read change nothing: the last good ones stay in force for what serves.
        var settingsStay = registration.Problem is not null && State.Registration is not null;
        var applied = settingsStay
            ? registration with
            {
                VersionPolicy = State.Registration!.VersionPolicy,
                Settings = State.Registration.Settings,
                SettingsRevision = State.Registration.SettingsRevision,
            }
            : registration;
        await KeepAsync(State with { Registration = applied, Failed = retryFailed ? State.Failed.Clear() : State.Failed });
        await CarryOutAsync();
        if (registration.Versions.IsEmpty && registration.Problem is null)
        {
            _registrations.Remove(Name);
            _loadMetrics.Forget(Name);
            await _stored.ClearStateAsync();
            DeactivateOnIdle();
        }
    }

    /// <inheritdoc/>
    public async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        RequireKnown();
        await KeepAsync(State with { Unloaded = false, Failed = State.Failed.Clear() });
        await CarryOutAsync();
        if (State.Registration!.Problem is { } problem)
        {
            throw new ServingException(Failure.Unavailable($"failed to load '{Name}': {problem}", LoadFailures.RetryAfter));
        }

        if (ModelPlan.ChosenButFailed(State) is var (version, reason))
        {
            throw new ServingException(Failure.Unavailable(LoadFailures.Message(Name, version, reason), LoadFailures.RetryAfter));
        }
    }

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        RequireKnown();
        await KeepAsync(State with { Unloaded = true });
        await CarryOutAsync();
    }

    private void RequireKnown()
    {
        if (State.Registration is null)
        {
            throw new ServingException(Failure.NotFound($"Request for unknown model: '{Name}' is not in the model repository"));
        }
    }

    /// <summary>Loads what should serve, then ends what should not: nothing ends before its successor is ready.</summary>
    private async Task CarryOutAsync()
    {
        _registrations.Publish(State.Registration!);
        while (ModelPlan.NextLoad(State) is var (source, copy))
        {
            await LoadVersionAsync(source, copy);
        }

        foreach (var (version, loaded) in ModelPlan.ToUnload(State).ToList())
        {
            await KeepAsync(State with { Loaded = State.Loaded.Remove(version) });
            Tell(loading: null);
            await Copy(version, loaded.Copy).UnloadAsync();
        }

        Tell(loading: null);
    }

    private async Task LoadVersionAsync(ModelVersionSource source, int copy)
    {
        var settingsRevision = State.Registration!.SettingsRevision;
        Tell((source.Version, copy));
        try
        {
            await Copy(source.Version, copy).DescribeAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is not (SiloUnavailableException or OperationCanceledException))
        {
            var cause = LoadFailures.Cause(exception.Message, Name, source.Version);
            if (State.Loaded.ContainsKey(source.Version))
            {
                Log.OldContentStays(_logger, Name, source.Version, cause);
            }

            var failed = new FailedLoad(source.Revision, settingsRevision, cause);
            await KeepAsync(State with { Failed = State.Failed.SetItem(source.Version, failed) });

            // At once: a request that still took the version for one that loads would begin a load that nobody keeps account of.
            Tell(loading: null);
            return;
        }

        var replaced = State.Loaded.GetValueOrDefault(source.Version);
        await KeepAsync(State with
        {
            Loaded = State.Loaded.SetItem(source.Version, new LoadedCopy(copy, source.Revision, settingsRevision)),
            Failed = State.Failed.Remove(source.Version),
        });
        Tell(loading: null);
        Log.Serves(_logger, source.Version, Name, copy);
        if (replaced is not null)
        {
            await Copy(source.Version, replaced.Copy).UnloadAsync();
        }
    }

    private IModelVersionGrain Copy(long version, int copy) =>
        GrainFactory.GetGrain<IModelVersionGrain>(new ModelCopyId(Name, version, copy).ToString());

    private void Tell((long Version, int Copy)? loading) => _states.Publish(ModelPlan.Describe(Name, State, loading));

    private Task KeepAsync(ModelGrainState state)
    {
        _stored.State = state;
        return _stored.WriteStateAsync();
    }
}
