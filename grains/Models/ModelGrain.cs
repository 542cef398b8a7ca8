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
    private readonly TimeProvider _time;
    private readonly ILogger<ModelGrain> _logger;

    public ModelGrain(
        [PersistentState("model", ModelGrains.StorageName)] IPersistentState<ModelGrainState> stored,
        IRegistrations registrations,
        IServingStates states,
        LoadMetrics loadMetrics,
        TimeProvider time,
        ILogger<ModelGrain> logger)
    {
        _stored = stored;
        _registrations = registrations;
        _states = states;
        _loadMetrics = loadMetrics;
        _time = time;
        _logger = logger;
    }

    private string Name => this.GetPrimaryKeyString();

    private ModelGrainState State => _stored.State;

    /// <inheritdoc/>
    public async ValueTask ApplyAsync(ModelRegistration registration, bool retryFailed, CancellationToken cancellationToken)
    {
        if (State.Registration is { } known && known.Origin != registration.Origin)
        {
            RefuseOther(known, registration);
            return;
        }

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
        await KeepAsync(State with
        {
            Registration = applied,
            NotYetUsed = State.NotYetUsed || (State.Registration is null && registration.Origin == RegistrationOrigin.Registered),
            Failed = retryFailed ? State.Failed.Clear() : State.Failed,
        });
        await CarryOutAsync();
        if (registration.IsRemoval)
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
        await KeepAsync(State with { Unloaded = false, NotYetUsed = false, Failed = State.Failed.Clear() });
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
    public async ValueTask WakeAsync(CancellationToken cancellationToken)
    {
        if (State.NotYetUsed)
        {
            await KeepAsync(State with { NotYetUsed = false });
            await CarryOutAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        RequireKnown();
        await KeepAsync(State with { Unloaded = true, NotYetUsed = false });
        await CarryOutAsync();
    }

    private void RequireKnown()
    {
        if (State.Registration is null)
        {
            throw new ServingException(Failure.NotFound($"Request for unknown model: '{Name}' is not in the model repository"));
        }
    }

    /// <summary>A name belongs to whoever claimed it first; that the other has it no more is no news.</summary>
    private void RefuseOther(ModelRegistration known, ModelRegistration registration)
    {
        if (!registration.IsRemoval)
        {
            throw new ServingException(new Failure(StatusCode.AlreadyExists, known.Origin == RegistrationOrigin.Repository
                ? $"model '{Name}' is in the model repository"
                : $"model '{Name}' has been registered by a client; the repository's model of this name is served when that is unregistered"));
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

    private void Tell((long Version, int Copy)? loading)
    {
        _states.TryGet(Name, out var before);
        _states.Publish(ServingTimes.Stamp(before, ModelPlan.Describe(Name, State, loading), _time.GetUtcNow()));
    }

    private Task KeepAsync(ModelGrainState state)
    {
        _stored.State = state;
        return _stored.WriteStateAsync();
    }
}
