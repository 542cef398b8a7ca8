using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <inheritdoc cref="IModelGrain"/>
/// <remarks>
/// Commands wait for their turn. <see cref="ModelReports"/> takes what is reported at once; <see cref="ModelTurns"/> says when it is acted on.
/// <see cref="ModelPlan"/>, <see cref="ReplicaPlan"/> and <see cref="FailurePlan"/> say what follows. <see cref="ModelChange"/>, <see cref="ReplicaWork"/> and
/// <see cref="ReplicaLoader"/> do it, <see cref="ModelKeeper"/> keeps it and tells the gateways.
/// </remarks>
[ControlPlacement]
[GrainType(ClusterGrains.ModelType)]
internal sealed class ModelGrain : Grain, IModelGrain, IModelWorkGrain, IDisposable
{
    /// <summary>How long a caller waits for a load to begin before it asks again.</summary>
    private static readonly TimeSpan MaxBegin = TimeSpan.FromSeconds(5);

    private readonly IPersistentState<ModelGrainState> _stored;
    private readonly ModelServices _services;
    private readonly ILogger<ModelGrain> _logger;
    private ModelKeeper _keeper = null!;
    private ReplicaLoader _loader = null!;
    private ReplicaWork _work = null!;
    private ScalingDesk _scaling = null!;
    private ModelChange _change = null!;
    private ModelTurns _turns = null!;
    private ModelReports _reports = null!;

    public ModelGrain(
        [PersistentState("model", ModelGrains.StorageName)] IPersistentState<ModelGrainState> stored, ModelServices services, ILogger<ModelGrain> logger)
    {
        _stored = stored;
        _services = services;
        _logger = logger;
    }

    private string Name => this.GetPrimaryKeyString();

    private ModelGrainState State => _keeper.State;

    /// <summary>Goes on with tries that were due, and ends loads that were under way when the grain was lost.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _keeper = new ModelKeeper(Name, _stored, _services.States, _services.Metrics, _services.Time);
        _loader = new ReplicaLoader(Name, _services, _keeper, _logger);
        _work = new ReplicaWork(Name, _services, _keeper, _loader, _logger);
        _scaling = new ScalingDesk(Name, _services, _keeper, _work, _logger);
        _change = new ModelChange(Name, _services, _keeper, _work, _scaling, _logger);
        _turns = new ModelTurns(this, GrainFactory.GetGrain<IModelWorkGrain>(Name), _keeper, _change, _services.Time, _logger);
        _reports = new ModelReports(Name, _services, _keeper, _work, _scaling, _change, _turns, _logger);
        if (State.Registration is null)
        {
            _services.States.TryGet(Name, out var published);
            _keeper.Note(ReplicaPlan.Begin(State, published));
        }

        // What is no member may be one of a cluster before this.
        ImmutableArray<SiloAddress> gone =
        [
            .. State.Loaded.Keys.Union(State.Arriving.Keys).SelectMany(version => ReplicaPlan.Holders(State, version)).Where(silo => !_services.Silos.IsMember(silo)).Distinct(),
        ];
        if (!gone.IsEmpty)
        {
            return _reports.SilosLostAsync(gone);
        }

        if (!State.Arriving.IsEmpty || ModelPlan.NextLoad(State) is not null)
        {
            _change.Reload(State.Arriving.Keys.Where(version => ReplicaPlan.IsOnDemand(State, version)));
            _turns.Schedule();
        }

        _turns.RetryLaterFailures();
        return Task.CompletedTask;
    }

    /// <summary>Keeps when the model was used.</summary>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        State.Registration is null ? Task.CompletedTask : _keeper.SaveAsync();

    /// <inheritdoc/>
    public async ValueTask ApplyAsync(ModelRegistration registration, bool retryFailed, CancellationToken cancellationToken)
    {
        if (State.Registration?.Origin == registration.Origin && registration.Problem is null)
        {
            _loader.GiveUp((source, settingsRevision) => registration.Versions.Contains(source) && settingsRevision == registration.SettingsRevision);
        }

        using var turn = await _turns.TakeAsync();
        await ApplyNowAsync(registration, retryFailed);
    }

    private async Task ApplyNowAsync(ModelRegistration registration, bool retryFailed)
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

        var next = ModelPlan.Register(State, registration, retryFailed);
        if (ModelPlan.NextLoad(next) is null)
        {
            await _keeper.KeepAskedAsync(next);
            await _turns.ChangeAsync();
        }
        else
        {
            // The first step of the load writes it. A registration that could not be written is handed over again.
            _keeper.Note(next);
            await _turns.ChangeAsync();
            await _keeper.SaveAskedAsync();
        }

        if (registration.LoadNow)
        {
            await _services.States.WhenSentAsync(Name, CancellationToken.None);
        }

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
        using var turn = await _turns.TakeAsync();
        RequireKnown(LoadFailures.Prefix(Name));
        var before = State;
        await _keeper.KeepAskedAsync(
            State with { Unloaded = false, NotYetUsed = false, Failed = State.Failed.Clear(), FailedOn = State.FailedOn.Clear(), LostWith = State.LostWith.Clear(), StuckOn = State.StuckOn.Clear() },
            state => state with { Unloaded = before.Unloaded, NotYetUsed = before.NotYetUsed, Failed = before.Failed, FailedOn = before.FailedOn, LostWith = before.LostWith, StuckOn = before.StuckOn });
        await _turns.ChangeAsync();
        if (State.Registration!.Problem is { } problem)
        {
            throw new ServingException(Failure.Unavailable(LoadFailures.Prefix(Name) + problem, LoadFailures.RetryAfter));
        }

        if (ModelPlan.ChosenButFailed(State) is var (version, reason))
        {
            throw new ServingException(Failure.Unavailable(LoadFailures.Message(Name, version, reason), LoadFailures.RetryAfter));
        }

        foreach (var source in State.Registration.Versions.Where(source => ReplicaPlan.IsOnDemand(State, source.Version)))
        {
            if ((await _work.LoadOnDemandAsync(source)).Failure is { } failure)
            {
                throw new ServingException(failure);
            }
        }

        await _services.States.WhenSentAsync(Name, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask WakeAsync(CancellationToken cancellationToken)
    {
        using var turn = await _turns.TakeAsync();
        if (State.NotYetUsed)
        {
            try
            {
                await _keeper.KeepAskedAsync(State with { NotYetUsed = false });
                await _turns.ChangeAsync();
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
        _loader.GiveUp(static (_, _) => false);
        using var turn = await _turns.TakeAsync();
        RequireKnown();

        // Those that began since: this is what their callers wait for.
        _loader.GiveUp(static (_, _) => false);
        var before = State;
        await _keeper.KeepAskedAsync(
            State with { Unloaded = true, NotYetUsed = false }, state => state with { Unloaded = before.Unloaded, NotYetUsed = before.NotYetUsed });
        await _turns.ChangeAsync();
        await _services.States.WhenSentAsync(Name, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask ScaleAsync(ReplicaBounds? bounds, CancellationToken cancellationToken)
    {
        if (bounds?.Problem() is { } problem)
        {
            throw ServingException.InvalidArgument($"model '{Name}': {problem}");
        }

        using var turn = await _turns.TakeAsync();
        RequireKnown();
        var before = State.Registration!.Bounds;
        await _keeper.KeepAskedAsync(WithBounds(State, bounds), state => WithBounds(state, before));
        Log.Bounded(_logger, Name, bounds?.Least, bounds?.Most);
        await _turns.ChangeAsync();

        static ModelGrainState WithBounds(ModelGrainState state, ReplicaBounds? bounds) => state with { Registration = state.Registration! with { Bounds = bounds } };
    }

    /// <inheritdoc/>
    public async ValueTask EnsureLoadedAsync(long version, ModelReplicaId? missing, CancellationToken cancellationToken)
    {
        if (missing is { } id && IsServing(id) && !await _loader.IsLoadedAsync(id) && IsServing(id))
        {
            await _reports.TakeAsync(ReplicaPlan.Ended(State, version, new PlacedReplica(id.Number, id.Silo), statistics: null), version, "its silo did not have it any more");
        }

        while (true)
        {
            RequireKnown();
            var told = _keeper.NextTold;
            if (!State.Loaded.ContainsKey(version))
            {
                await FirstLoadAsync(version, told, cancellationToken);
                continue;
            }

            if (!ReplicaPlan.IsOnDemand(State, version))
            {
                // A silo that had hung may have told what was so before this grain took its place: else its gateways would ask here for ever.
                _keeper.TellAgain();
                return;
            }

            var source = State.Registration!.Versions.FirstOrDefault(candidate => candidate.Version == version) ?? throw new ServingException(NotServed(version));
            var load = await _work.LoadOnDemandAsync(source).WaitAsync(cancellationToken);
            if (load is { Failure: { } failure, IsSuperseded: false })
            {
                if (load.IsFinal)
                {
                    _turns.Schedule();
                }

                throw new ServingException(failure);
            }
        }
    }

    /// <summary>Waits until the next news of a version's first load. That may be about to begin, or wait apart from others that silos were lost with.</summary>
    private async Task FirstLoadAsync(long version, Task told, CancellationToken cancellationToken)
    {
        if (!ReplicaPlan.Arriving(State, version).IsEmpty)
        {
            await told.WaitAsync(cancellationToken);
            return;
        }

        if (!ModelPlan.Desired(State).Contains(version))
        {
            throw new ServingException(NotServed(version));
        }

        if (_turns.AreIdle)
        {
            _turns.Schedule();
        }

        try
        {
            await told.WaitAsync(MaxBegin, _services.Time, cancellationToken);
        }
        catch (TimeoutException) when (!_turns.AreUnderWay)
        {
            // An activation that ends takes no turn before its calls have ended, and this is one.
            throw new ServingException(Failure.Lost(string.Create(CultureInfo.InvariantCulture, $"model '{Name}' version {version} is about to be loaded")));
        }
        catch (TimeoutException)
        {
            // Another version is loaded first.
        }
    }

    /// <inheritdoc/>
    public ValueTask<UnloadedReplica> GetUnloadedAsync(long version)
    {
        var past = State.Past.GetValueOrDefault(version);
        return ValueTask.FromResult(new UnloadedReplica(past?.Description, past?.Statistics));
    }

    /// <inheritdoc/>
    public async ValueTask ReplicaEndedAsync(ReplicaEnd end) => await _reports.ReplicaEndedAsync(end);

    /// <inheritdoc/>
    public ValueTask DownloadProgressAsync(ModelReplicaId replica, int percent)
    {
        _reports.Download(replica, percent);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask ReportLoadAsync(UtilizationReport load) => await _reports.ReportLoadAsync(load);

    /// <inheritdoc/>
    public async ValueTask LeaveSiloAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        using var turn = await _turns.TakeAsync();
        using (_turns.Begin())
        {
            await _work.LeaveAsync(silo);
        }

        // What was not used lately went without a successor; beside replicas that stay there are to be as many as the least.
        if (State.Loaded.Keys.Any(_change.IsDue))
        {
            _turns.Schedule();
        }
    }

    /// <inheritdoc/>
    public async ValueTask SilosLostAsync(ImmutableArray<SiloAddress> silos) => await _reports.SilosLostAsync(silos);

    /// <inheritdoc/>
    public async ValueTask AccuseAsync(long version, ImmutableArray<SiloAddress> silos) => await _reports.AccuseAsync(version, silos);

    /// <inheritdoc/>
    public async ValueTask CarryOutAsync() => await _turns.CarryOutAsync();

    /// <summary>After the last call was answered.</summary>
    public void Dispose() => _turns?.Dispose();

    private bool IsServing(ModelReplicaId id) => ReplicaPlan.Serving(State, id.Version).Contains(new PlacedReplica(id.Number, id.Silo));

    private Failure NotServed(long version) => State.Failed.GetValueOrDefault(version) is { } failed
        ? Failure.Unavailable(LoadFailures.Message(Name, version, failed.Reason), LoadFailures.RetryAfter) with { Kind = FailureKind.LoadFailed }
        : Failure.NotFound(string.Create(CultureInfo.InvariantCulture, $"Request for unknown model: '{Name}' version {version} is not served"));

    /// <param name="prefix">Begins the text for the caller.</param>
    private void RequireKnown(string prefix = "")
    {
        if (State.Registration is null)
        {
            throw new ServingException(Failure.NotFound($"{prefix}Request for unknown model: '{Name}' is not in the model repository"));
        }
    }

    /// <summary>A name belongs to its first claimant; that the other has it no more is no news.</summary>
    private void RefuseOther(ModelRegistration known, ModelRegistration registration)
    {
        if (!registration.IsRemoval)
        {
            throw new ServingException(new Failure(StatusCode.AlreadyExists, known.Origin == RegistrationOrigin.Repository
                ? $"model '{Name}' is in the model repository"
                : $"model '{Name}' has been registered by a client; the repository's model of this name is served when that is unregistered"));
        }
    }
}
