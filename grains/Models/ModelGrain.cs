using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cache;
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
    /// <summary>Least time between two tries of what found no room.</summary>
    private static readonly TimeSpan MinRetry = TimeSpan.FromSeconds(1);

    /// <summary>Most time between two looks at what is to be tried again, so that the grain is not collected meanwhile.</summary>
    private static readonly TimeSpan MaxRetry = TimeSpan.FromMinutes(1);

    private readonly IPersistentState<ModelGrainState> _stored;
    private readonly IRegistrations _registrations;
    private readonly IServingStates _states;
    private readonly LoadMetrics _loadMetrics;
    private readonly CopyCache _cache;
    private readonly ModelCacheOptions _cacheOptions;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelGrain> _logger;
    private (long Version, int Copy)? _loading;
    private Task _writing = Task.CompletedTask;
    private IGrainTimer? _retry;

    public ModelGrain(
        [PersistentState("model", ModelGrains.StorageName)] IPersistentState<ModelGrainState> stored,
        IRegistrations registrations,
        IServingStates states,
        LoadMetrics loadMetrics,
        CopyCache cache,
        ModelCacheOptions cacheOptions,
        TimeProvider time,
        ILogger<ModelGrain> logger)
    {
        _stored = stored;
        _registrations = registrations;
        _states = states;
        _loadMetrics = loadMetrics;
        _cache = cache;
        _cacheOptions = cacheOptions;
        _time = time;
        _logger = logger;
    }

    private string Name => this.GetPrimaryKeyString();

    private ModelGrainState State => _stored.State;

    /// <summary>Goes on with what was to be tried again.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        RetryLaterFailures();
        return Task.CompletedTask;
    }

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
            _cache.Forget(Name);
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

        foreach (var (onDemand, loaded) in State.Loaded.Where(entry => ModelPlan.IsOnDemand(State, entry.Key)))
        {
            await Copy(onDemand, loaded.Copy).DescribeAsync(CancellationToken.None);
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

    /// <inheritdoc/>
    public ValueTask<UnloadedCopy> GetUnloadedAsync(long version)
    {
        var presence = State.Presence.GetValueOrDefault(version);
        return ValueTask.FromResult(new UnloadedCopy(presence?.Description, presence?.Past));
    }

    /// <inheritdoc/>
    public async ValueTask ReportAsync(CopyReport report)
    {
        var state = State.Registration is null ? State : ModelPlan.Take(State, report);
        if (!ReferenceEquals(state, State))
        {
            await KeepAsync(state);
            Tell(_loading);
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReportFailureAsync(CopyFailure failure)
    {
        var version = failure.Copy.Version;
        if (State.Loaded.GetValueOrDefault(version)?.Copy != failure.Copy.Copy || !ModelPlan.IsOnDemand(State, version))
        {
            return;
        }

        Log.FailedOnDemand(_logger, version, Name, _cacheOptions.FailureMemory.TotalSeconds, failure.Reason);
        var retryOn = _time.GetUtcNow() + _cacheOptions.FailureMemory;
        await KeepAsync(State with
        {
            Loaded = State.Loaded.Remove(version),
            Presence = State.Presence.Remove(version),
            Failed = State.Failed.SetItem(version, new FailedLoad(failure.Revision, failure.SettingsRevision, failure.Reason, retryOn)),
        });
        RetryIn(_cacheOptions.FailureMemory);
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
        var postponed = new HashSet<long>();
        while (ModelPlan.NextLoad(State, postponed) is var (source, copy))
        {
            if (!await LoadVersionAsync(source, copy))
            {
                postponed.Add(source.Version);
            }
        }

        foreach (var (version, loaded) in ModelPlan.ToUnload(State).ToList())
        {
            await KeepAsync(State with { Loaded = State.Loaded.Remove(version), Presence = State.Presence.Remove(version) });
            Tell(loading: null);
            await EndAsync(version, loaded.Copy);
        }

        Tell(loading: null);
    }

    /// <summary>False: there is no room now for new content beside what serves; it is tried again.</summary>
    private async Task<bool> LoadVersionAsync(ModelVersionSource source, int copy)
    {
        var loads = new LoadedCopy(copy, source.Revision, State.Registration!.SettingsRevision);
        if (!_cache.TryClaim(new ModelCopyId(Name, source.Version, copy), source, out var claim)
            && (!State.Loaded.ContainsKey(source.Version) || ModelPlan.IsOnDemand(State, source.Version)))
        {
            Log.ServesOnDemand(_logger, source.Version, Name);
            await ServeAsync(source.Version, loads, inMemory: false);
            return true;
        }

        Tell((source.Version, copy));
        try
        {
            await Copy(source.Version, copy).DescribeAsync(CancellationToken.None);
        }
        catch (ServingException exception) when (exception.Failure is { Code: StatusCode.ResourceExhausted, RetryAfter: { } retryAfter })
        {
            Postpone(source.Version, retryAfter, exception.Message);
            return false;
        }
        catch (Exception exception) when (exception is not (SiloUnavailableException or OperationCanceledException))
        {
            await KeepFailureAsync(source, loads.SettingsRevision, LoadFailures.Cause(exception.Message, Name, source.Version));
            return true;
        }
        finally
        {
            _cache.EndClaim(claim);
        }

        Log.Serves(_logger, source.Version, Name, copy);
        await ServeAsync(source.Version, loads, inMemory: true);
        return true;
    }

    private async Task KeepFailureAsync(ModelVersionSource source, string settingsRevision, string cause)
    {
        if (State.Loaded.ContainsKey(source.Version))
        {
            Log.OldContentStays(_logger, Name, source.Version, cause);
        }

        await KeepAsync(State with { Failed = State.Failed.SetItem(source.Version, new FailedLoad(source.Revision, settingsRevision, cause)) });

        // At once: a request that still took the version for one that loads would begin a load that nobody keeps account of.
        Tell(loading: null);
    }

    /// <summary>Has a copy serve from now on, and the one before it end.</summary>
    private async Task ServeAsync(long version, LoadedCopy copy, bool inMemory)
    {
        var replaced = State.Loaded.GetValueOrDefault(version);
        await KeepAsync(State with
        {
            Loaded = State.Loaded.SetItem(version, copy),
            Presence = inMemory ? State.Presence : State.Presence.SetItem(version, new CopyPresence(copy.Copy, Epoch: 0, InMemory: false)),
            Failed = State.Failed.Remove(version),
        });
        Tell(loading: null);
        if (replaced is not null)
        {
            await EndAsync(version, replaced.Copy);
        }
    }

    /// <summary>Ends a copy that no published state names any more; it may have ended already.</summary>
    private async Task EndAsync(long version, int copy)
    {
        try
        {
            await Copy(version, copy).UnloadAsync();
        }
        catch (ServingException exception) when (exception.Failure is { Code: StatusCode.Unavailable, RetryAfter: var retry } && retry == TimeSpan.Zero)
        {
            // It is not in memory, and does not come back for this call.
        }
    }

    private void Postpone(long version, TimeSpan retryAfter, string reason)
    {
        Tell(loading: null);
        var wait = retryAfter > MinRetry ? retryAfter : MinRetry;
        Log.ReplacementWaits(_logger, Name, version, wait.TotalSeconds, reason);
        RetryIn(wait);
    }

    /// <summary>Has the plan carried out again; a tick that comes too early for one of its reasons arms the next.</summary>
    private void RetryIn(TimeSpan wait)
    {
        _retry?.Dispose();
        _retry = this.RegisterGrainTimer(
            static (self, _) => self.RetryAsync(),
            this,
            new GrainTimerCreationOptions(wait < MaxRetry ? wait : MaxRetry, MaxRetry) { KeepAlive = true });
    }

    private async Task RetryAsync()
    {
        _retry?.Dispose();
        _retry = null;
        var now = _time.GetUtcNow();
        await KeepAsync(State with { Failed = State.Failed.RemoveRange(State.Failed.Where(entry => entry.Value.RetryOn <= now).Select(entry => entry.Key)) });
        if (State.Registration is not null)
        {
            await CarryOutAsync();
        }

        RetryLaterFailures();
    }

    private void RetryLaterFailures()
    {
        if (_retry is null && State.Failed.Values.Min(failed => failed.RetryOn) is { } next)
        {
            var wait = next - _time.GetUtcNow();
            RetryIn(wait > MinRetry ? wait : MinRetry);
        }
    }

    private IModelVersionGrain Copy(long version, int copy) =>
        GrainFactory.GetGrain<IModelVersionGrain>(new ModelCopyId(Name, version, copy).ToString());

    private void Tell((long Version, int Copy)? loading)
    {
        _loading = loading;
        _states.TryGet(Name, out var before);
        _states.Publish(ServingTimes.Stamp(before, ModelPlan.Describe(Name, State, loading), _time.GetUtcNow()));
    }

    /// <summary>One write after the other: reports come between the steps of a change.</summary>
    private Task KeepAsync(ModelGrainState state)
    {
        _stored.State = state;
        return _writing = WriteAsync(_writing);
    }

    private async Task WriteAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await _stored.WriteStateAsync();
    }
}
