using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Placement;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <inheritdoc cref="IModelGrain"/>
/// <remarks>
/// Not reentrant: one change at a time is carried out to its end, whether or not the caller still waits. What is reported meanwhile is taken at once, and
/// acted on in a turn of its own. <see cref="ModelPlan"/> and <see cref="CopyPlan"/> say what follows, <see cref="CopyWork"/> does it, <see cref="ModelKeeper"/>
/// keeps it and tells the gateways.
/// </remarks>
[ControlPlacement]
[GrainType(ClusterGrains.ModelType)]
internal sealed class ModelGrain : Grain, IModelGrain, IModelWorkGrain
{
    private readonly IPersistentState<ModelGrainState> _stored;
    private readonly ModelServices _services;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelGrain> _logger;
    private ModelKeeper _keeper = null!;
    private CopyLoader _loader = null!;
    private CopyWork _work = null!;
    private ScalingDesk _scaling = null!;
    private ModelChange _change = null!;
    private RetryTimer _retry = null!;
    private readonly HashSet<(long Version, int Copy)> _lost = [];
    private bool _scheduled;
    private int _changes;

    public ModelGrain(
        [PersistentState("model", ModelGrains.StorageName)] IPersistentState<ModelGrainState> stored, ModelServices services, ILogger<ModelGrain> logger)
    {
        _stored = stored;
        _services = services;
        _time = services.Time;
        _logger = logger;
    }

    private string Name => this.GetPrimaryKeyString();

    private ModelGrainState State => _keeper.State;

    /// <summary>Goes on with what was to be tried again, and ends what was being loaded when the grain was lost.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _keeper = new ModelKeeper(Name, _stored, _services.States, _services.Metrics, _time);
        _loader = new CopyLoader(Name, _services.Grains, _keeper, _services.CopyOptions);
        _work = new CopyWork(Name, _services, _keeper, _loader, _logger);
        _retry = new RetryTimer(this, RetryAsync, _time);
        _scaling = new ScalingDesk(Name, _services, _keeper, _work, _logger);
        _change = new ModelChange(Name, _services, _keeper, _work, _scaling, _logger);
        if (State.Registration is null)
        {
            _services.States.TryGet(Name, out var published);
            _keeper.Note(CopyPlan.Begin(State, published));
        }

        if (!State.Arriving.IsEmpty)
        {
            Schedule();
        }

        RetryLaterFailures();
        return Task.CompletedTask;
    }

    /// <summary>Keeps when the model was used.</summary>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        State.Registration is null ? Task.CompletedTask : _keeper.SaveAsync();

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
        await _keeper.KeepAsync(State with
        {
            Registration = applied,
            NotYetUsed = State.NotYetUsed || (State.Registration is null && registration.Origin == RegistrationOrigin.Registered),
            Failed = retryFailed ? State.Failed.Clear() : State.Failed,
            FailedOn = retryFailed ? State.FailedOn.Clear() : State.FailedOn,
        });
        await ChangeAsync();
        if (registration.IsRemoval)
        {
            _services.Registrations.Remove(Name);
            _services.LoadMetrics.Forget(Name);
            _services.Cache.Forget(Name);
            await _keeper.ClearAsync();
            DeactivateOnIdle();
        }
    }

    /// <inheritdoc/>
    public async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        RequireKnown();
        await _keeper.KeepAsync(State with { Unloaded = false, NotYetUsed = false, Failed = State.Failed.Clear(), FailedOn = State.FailedOn.Clear() });
        await ChangeAsync();
        if (State.Registration!.Problem is { } problem)
        {
            throw new ServingException(Failure.Unavailable($"failed to load '{Name}': {problem}", LoadFailures.RetryAfter));
        }

        if (ModelPlan.ChosenButFailed(State) is var (version, reason))
        {
            throw new ServingException(Failure.Unavailable(LoadFailures.Message(Name, version, reason), LoadFailures.RetryAfter));
        }

        foreach (var source in State.Registration.Versions.Where(source => CopyPlan.IsOnDemand(State, source.Version)))
        {
            if ((await _loader.LoadAsync(source, State.Loaded[source.Version].Copies[0])).Failure is { } failure)
            {
                throw new ServingException(failure);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask WakeAsync(CancellationToken cancellationToken)
    {
        if (State.NotYetUsed)
        {
            try
            {
                await _keeper.KeepAsync(State with { NotYetUsed = false });
                await ChangeAsync();
            }
            catch when (State.Loaded.IsEmpty)
            {
                // Nothing was begun, such as without Redis: the next request is the first one still.
                _keeper.Note(State with { NotYetUsed = true });
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        RequireKnown();
        await _keeper.KeepAsync(State with { Unloaded = true, NotYetUsed = false });
        await ChangeAsync();
    }

    /// <inheritdoc/>
    public ValueTask<UnloadedCopy> GetUnloadedAsync(long version)
    {
        var known = State.Presence.GetValueOrDefault(version)?.Values ?? [];
        var past = known.Select(presence => presence.Past).OfType<CopyStatistics>().ToList();
        return ValueTask.FromResult(new UnloadedCopy(
            known.Select(presence => presence.Description).FirstOrDefault(description => description is not null),
            past.Count == 0 ? null : past.Aggregate(CopyStatistics.Sum)));
    }

    /// <inheritdoc/>
    public async ValueTask ReportAsync(CopyReport report)
    {
        var cameBack = report.InMemory && _lost.Remove((report.Copy.Version, report.Copy.Copy));
        var state = State.Registration is null ? State : CopyPlan.Take(cameBack ? CopyPlan.Readmit(State, report) : State, report);
        if (ReferenceEquals(state, State))
        {
            return;
        }

        if (report.Statistics?.LastInference is { } used)
        {
            state = _scaling.Use(state, report.Copy.Version, used);
        }

        await _keeper.KeepAsync(state);
        _keeper.Tell();
        if (cameBack || _change.IsDue(report.Copy.Version))
        {
            Schedule();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> ReportFailureAsync(CopyFailure failure)
    {
        var version = failure.Copy.Version;
        if (State.Registration?.Versions.FirstOrDefault(candidate => candidate.Version == version) is not { } source)
        {
            return false;
        }

        var memory = _services.CacheOptions.FailureMemory;
        var now = _time.GetUtcNow();
        var state = FailurePlan.Take(FailurePlan.Forget(State, now, memory, _services.CopyOptions), failure, now);
        _keeper.Note(state);
        var isForAnother = FailurePlan.Silos(state, version).Length < _services.CopyOptions.MaxFailedSilos && _work.Candidates(source) > 0;
        if (isForAnother)
        {
            _services.Metrics.FailureMoved();
            Log.FailureMoved(_logger, version, Name, failure.Silo, failure.Reason);
        }
        else if (CopyPlan.IsOnDemand(state, version) && state.Loaded[version].Copies.Contains(failure.Copy.Copy))
        {
            Log.FailedOnDemand(_logger, version, Name, memory.TotalSeconds, failure.Reason);
            var load = new FailedLoad(failure.Revision, failure.SettingsRevision, failure.Reason, now + memory);
            _keeper.Note(CopyPlan.End(state, version) with { Failed = state.Failed.SetItem(version, load) });
            Schedule();
        }
        else if (!state.Loaded.ContainsKey(version) && state.Arriving.GetValueOrDefault(version, []).Contains(failure.Copy.Copy))
        {
            // Told before the copy answers: a request that still took the version for one that loads would begin another load.
            var load = new FailedLoad(failure.Revision, failure.SettingsRevision, failure.Reason);
            _keeper.Note(CopyPlan.GiveUp(state, version, [failure.Copy.Copy]) with { Failed = state.Failed.SetItem(version, load) });
        }

        _retry.LookIn(memory);
        var kept = _keeper.SaveAsync();
        _keeper.Tell();
        await kept;
        return isForAnother;
    }

    /// <inheritdoc/>
    public async ValueTask ReportLoadAsync(CopyLoadReport load)
    {
        if (_scaling.Take(load, mayDecide: _changes == 0 && !_scheduled))
        {
            Schedule();
        }

        await _scaling.SaveUsesAsync();
    }

    /// <inheritdoc/>
    public async ValueTask LeaveSiloAsync(string silo, CancellationToken cancellationToken)
    {
        _changes++;
        try
        {
            await _work.LeaveAsync(silo);
        }
        finally
        {
            _changes--;
        }
    }

    /// <inheritdoc/>
    public async ValueTask SilosLostAsync(ImmutableArray<string> silos)
    {
        var before = State;
        var state = CopyPlan.Lose(before, silos);
        if (ReferenceEquals(state, before))
        {
            return;
        }

        var lost = before.Loaded.Keys.Sum(version => silos.Sum(silo => CopyPlan.On(before, version, silo).Length));
        Log.CopiesLost(_logger, Name, lost, string.Join(", ", silos));
        _services.Metrics.CopiesLost(lost);
        _lost.UnionWith(before.Loaded.SelectMany(entry => entry.Value.Copies.Except(state.Loaded[entry.Key].Copies).Select(copy => (entry.Key, copy))));
        var kept = _keeper.KeepAsync(state);
        _keeper.Tell();
        _change.Reload(state.Loaded.Keys.Where(version =>
            CopyPlan.IsOnDemand(state, version)
            && !CopyPlan.IsOnDemand(before, version)
            && (_work.IsUsedLately(version) || state.Registration?.Settings.MinCopies > 1)));
        Schedule();
        await kept;
    }

    /// <inheritdoc/>
    public async ValueTask CarryOutAsync()
    {
        _scheduled = false;
        if (State.Registration is not null)
        {
            await ChangeAsync();
        }
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

    private async Task ChangeAsync()
    {
        _changes++;
        try
        {
            if (await _change.CarryOutAsync() is { } wait)
            {
                _retry.LookIn(wait);
            }

            RetryLaterFailures();
        }
        finally
        {
            _changes--;
        }
    }

    /// <summary>Has <see cref="ChangeAsync"/> run in a turn of its own.</summary>
    private void Schedule()
    {
        if (!_scheduled)
        {
            _scheduled = true;
            _ = RunAsync();
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await GrainFactory.GetGrain<IModelWorkGrain>(Name).CarryOutAsync();
        }
        catch (Exception exception)
        {
            // Nobody is there to hear of it, whatever it is; the next reason to act tries again.
            _scheduled = false;
            Log.NotCarriedOut(_logger, Name, exception.Message);
        }
    }

    private async Task RetryAsync()
    {
        var now = _time.GetUtcNow();
        await _keeper.KeepAsync(State with { Failed = State.Failed.RemoveRange(State.Failed.Where(entry => entry.Value.RetryOn <= now).Select(entry => entry.Key)) });
        if (State.Registration is not null)
        {
            await ChangeAsync();
        }
    }

    private void RetryLaterFailures()
    {
        if (!_retry.IsSet && State.Failed.Values.Min(failed => failed.RetryOn) is { } next)
        {
            _retry.LookIn(next - _time.GetUtcNow());
        }
        else if (!_retry.IsSet && !State.FailedOn.IsEmpty)
        {
            _retry.LookIn(RetryTimer.Max);
        }
    }
}
