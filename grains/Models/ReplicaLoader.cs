using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>Chooses silos for a model's replicas, has them loaded there, and ends them. Used in the turns of the model's grain alone.</summary>
internal sealed class ReplicaLoader(string model, ModelServices services, ModelKeeper keeper, ILogger logger)
{
    /// <summary>How soon what found no silo is worth another try.</summary>
    public static readonly TimeSpan NoSiloRetry = TimeSpan.FromSeconds(5);

    /// <summary>Silos lost while they loaded one content, after which it is loaded no more.</summary>
    private const int MaxSilosLost = 3;

    private const string LostReason = ServingReasons.Quarantined + ": three silos ended while they loaded it; load the model again to try it";

    /// <summary>Suspects of one moment choose their silos at different times within it, and see each other's choice.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(5);

    /// <summary>How often a suspect looks for a silo that loads no other.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Looks after which it is loaded beside another: what takes longer to load may be held for the culprit.</summary>
    private const int MaxLooks = 60;

    /// <summary>Silos that may say that they are full after all, before others go for the replica: silos tell of themselves a moment late.</summary>
    private const int MaxFullSilos = 2;

    private readonly List<Load> _loads = [];

    private ModelGrainState State => keeper.State;

    /// <summary>
    /// Returns once a new replica is loaded, or cannot be. A silo that refuses it, fails to load it, or is lost meanwhile is followed by the next. The replica
    /// of the outcome arrives until its caller has it serve, or gives it up.
    /// </summary>
    /// <param name="besideOthers">Whether it serves beside those of the same content, never on one silo with them.</param>
    /// <param name="forLoad">Whether busy silos are no place for it.</param>
    public async Task<LoadOutcome> LoadAsync(ModelVersionSource source, bool besideOthers = false, bool forLoad = false)
    {
        var registration = State.Registration!;
        var spec = new ReplicaSpec(source, registration.Settings, registration.VersionPolicy) { Owner = registration.Owner };
        using var load = new Load(source, registration.SettingsRevision);
        _loads.Add(load);
        try
        {
            LoadOutcome? last = null;
            for (var tries = 0; tries < services.ReplicaOptions.MaxLoadTries; tries++)
            {
                if (await JudgeAsync(load, last?.Replica) is { } guilty)
                {
                    return guilty;
                }

                var choice = Choose(registration, load, last?.Replica, besideOthers, forLoad);
                if (!choice.Found)
                {
                    return last ?? NoSilo(registration, load, choice.Reason);
                }

                // In one step, so that no publication shows the version as arriving nowhere.
                var (state, replica) = ReplicaPlan.Arrive(last?.Replica is { } former ? ReplicaPlan.GiveUp(State, source.Version, [former]) : State, source.Version, choice.Silo);
                var kept = keeper.KeepAsync(state);
                keeper.Tell();
                try
                {
                    await kept;
                }
                catch (SiloUnavailableException exception)
                {
                    // It was not asked for, and would keep its silo from being chosen for ever.
                    keeper.Note(ReplicaPlan.GiveUp(State, source.Version, [replica]));
                    keeper.Tell();
                    return new LoadOutcome(null, Failure.Unavailable(exception.Message, NoSiloRetry) with { Kind = FailureKind.Lost });
                }

                var onlyFree = choice.HasRoom && load.Full.Count < MaxFullSilos && !load.Full.Contains(choice.Silo) && tries + 1 < services.ReplicaOptions.MaxLoadTries;
                last = await TryAsync(replica, spec with { FreeRoomOnly = onlyFree }, load);
                if (last.Succeeded || last.IsFinal || last.IsSuperseded)
                {
                    return last;
                }

                if (last.Failure!.Kind == FailureKind.Lost && !services.Silos.IsMember(choice.Silo))
                {
                    keeper.Note(FailurePlan.Lose(State, [choice.Silo], services.Time.GetUtcNow()));
                }

                if (last.NoRoom && onlyFree)
                {
                    load.Full.Add(choice.Silo);
                }
                else if (last.Failure.Kind != FailureKind.Moved || !load.Moved.Add(choice.Silo))
                {
                    // What says that it moved may be the end of a replica of this number before: the next number does.
                    load.Refused.Add(choice.Silo);
                }
            }

            return last!;
        }
        finally
        {
            _loads.Remove(load);
        }
    }

    /// <summary>Gives up the loads of content that <paramref name="isWanted"/> does not want.</summary>
    public void GiveUp(Func<ModelVersionSource, string, bool> isWanted)
    {
        foreach (var load in _loads.Where(load => !isWanted(load.Source, load.SettingsRevision)).ToList())
        {
            load.GivenUp.Cancel();
        }
    }

    /// <summary>Ends a replica that no published state names any more; it may have ended already.</summary>
    public async Task EndAsync(long version, PlacedReplica replica)
    {
        try
        {
            if (services.Silos.IsMember(replica.Silo))
            {
                await Grain(version, replica).UnloadAsync();
            }
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException)
        {
            // It ended with its silo, or its silo ends it as one that nothing refers to.
            Log.NotTold(logger, model, exception.Message);
        }
    }

    /// <summary>Whether a replica that serves is loaded where it should be.</summary>
    public async Task<bool> IsLoadedAsync(ModelReplicaId id)
    {
        try
        {
            return services.Silos.IsMember(id.Silo) && await services.Grains.GetReplica(id).DescribeAsync(CancellationToken.None) is not null;
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException)
        {
            // Whether its silo is lost, the membership will say.
            return services.Silos.IsMember(id.Silo);
        }
    }

    /// <summary>
    /// Takes content out of service if its load takes down silos. Before the last try it waits for a random time, and then for a silo that loads no other suspect.
    /// So a version that was only loading on the same silos loads apart from the culprit.
    /// </summary>
    /// <returns>Null where it may be tried.</returns>
    private async Task<LoadOutcome?> JudgeAsync(Load load, PlacedReplica? former)
    {
        var (version, now) = (load.Source.Version, services.Time.GetUtcNow());
        var lost = FailurePlan.Lost(State, version, now);
        if (lost.Length >= MaxSilosLost)
        {
            return new LoadOutcome(former, Failure.Unavailable(LostReason, LoadFailures.RetryAfter), IsFinal: true) { IsQuarantined = true };
        }

        if (lost.Length == MaxSilosLost - 1)
        {
            await PauseAsync(services.Random.Use(static random => random.NextDouble()) * MaxPause, load);
            for (var looks = 0; looks < MaxLooks && !load.GivenUp.IsCancellationRequested && !HasSiloApart(load); looks++)
            {
                await PauseAsync(Look, load);
            }
        }

        return null;
    }

    private async Task PauseAsync(TimeSpan time, Load load) =>
        await Task.Delay(time, services.Time, load.GivenUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

    private bool HasSiloApart(Load load)
    {
        var taken = SilosOfSuspects();
        return taken.Count == 0 || services.Silos.CountEligible(Request(State.Registration!, load) with { Excluded = [.. load.Refused, .. taken] }) > 0;
    }

    /// <summary>Silos that load another model which silos were lost with.</summary>
    private HashSet<SiloAddress> SilosOfSuspects() =>
    [
        .. services.States.All
            .Where(other => other.Name != model)
            .SelectMany(static other => other.Versions)
            .Where(static version => version.IsSuspect)
            .SelectMany(static version => version.Arriving)
            .Select(static replica => replica.Silo)
            .Where(services.Silos.IsMember),
    ];

    private PlacementRequest Request(ModelRegistration registration, Load load) => services.Requests.Of(
        registration, load.Source, ReplicaPlan.Holders(State, load.Source.Version), FailurePlan.Silos(State, load.Source.Version));

    /// <param name="former">The try before, whose silo may get another.</param>
    private PlacementChoice Choose(ModelRegistration registration, Load load, PlacedReplica? former, bool besideOthers, bool forLoad)
    {
        var request = Request(registration, load) with { ForLoad = forLoad, Excluded = [.. load.Refused] };
        request = request with { Holders = [.. request.Holders.Where(silo => silo != former?.Silo)] };
        var avoided = Avoided(load.Source.Version);
        if (load.Full.Count > 0 && services.Placer.Choose(request with { Excluded = [.. load.Refused, .. load.Full, .. avoided] }) is { HasRoom: true } free)
        {
            return free;
        }

        var choice = services.Placer.Choose(request with { Excluded = [.. load.Refused, .. avoided] });
        if (!choice.Found && avoided.Count > 0)
        {
            choice = services.Placer.Choose(request);
        }

        // New content may be where the former is, if nothing else is left.
        return choice.Found || besideOthers
            ? choice
            : services.Placer.Choose(request with { Holders = [.. ReplicaPlan.Arriving(State, load.Source.Version).Select(static replica => replica.Silo)] });
    }

    /// <summary>Silos that are places for want of another: a replica of the version runs there without an end, or they load another suspect.</summary>
    private HashSet<SiloAddress> Avoided(long version)
    {
        var now = services.Time.GetUtcNow();
        HashSet<SiloAddress> avoided = FailurePlan.Lost(State, version, now).IsEmpty ? [] : SilosOfSuspects();
        avoided.UnionWith(FailurePlan.Stuck(State, version, now, services.ReplicaOptions.StuckMemory).Select(static stuck => stuck.Silo));
        return avoided;
    }

    private LoadOutcome NoSilo(ModelRegistration registration, Load load, string reason)
    {
        var request = services.Requests.Of(registration, load.Source, [], []);
        return new LoadOutcome(null, new Failure(services.Placer.LacksDevice(request) ? StatusCode.FailedPrecondition : StatusCode.Unavailable, reason, NoSiloRetry)
        {
            Kind = services.Placer.WillNeverFit(request) ? FailureKind.NoSilo : FailureKind.Lost,
        });
    }

    private async Task<LoadOutcome> TryAsync(PlacedReplica replica, ReplicaSpec spec, Load load)
    {
        var version = spec.Source.Version;
        try
        {
            load.GivenUp.Token.ThrowIfCancellationRequested();
            var loaded = await Grain(version, replica).EnsureLoadedAsync(spec, load.GivenUp.Token);
            if (loaded.Failure is { } failure && !load.GivenUp.IsCancellationRequested)
            {
                return failure.Kind == FailureKind.LoadFailed ? Failed(replica, load, failure) : new LoadOutcome(replica, failure, IsFinal: failure.Kind == FailureKind.None);
            }

            if (loaded.Description is { } description && !load.GivenUp.IsCancellationRequested)
            {
                keeper.Note(ReplicaPlan.Describe(State, version, description));
                return new LoadOutcome(replica, null);
            }
        }
        catch (OperationCanceledException) when (load.GivenUp.IsCancellationRequested)
        {
            // Its load may still go on there.
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException)
        {
            _ = EndAsync(version, replica);
            return new LoadOutcome(replica, Failure.Lost($"the silo that was to load model '{model}' version {version} cannot be reached"));
        }
        catch (ObjectDisposedException)
        {
            // A start that failed takes the runtime away from under the loads that it began.
            return new LoadOutcome(replica, Failure.Lost($"the silo that loads model '{model}' version {version} ends"));
        }
        catch (Exception exception)
        {
            // Expected failures are values: an exception is a defect and would come again.
            Log.NotCarriedOut(logger, model, exception.ToString());
            return new LoadOutcome(replica, Failure.Internal($"internal error while loading model '{model}' version {version}"), IsFinal: true);
        }

        _ = EndAsync(version, replica);
        return new LoadOutcome(replica, Failure.Moved($"the load of model '{model}' version {version} was given up")) { IsSuperseded = true };
    }

    /// <summary>Another silo may do, until enough have failed.</summary>
    private LoadOutcome Failed(PlacedReplica replica, Load load, Failure failure)
    {
        var (source, version) = (load.Source, load.Source.Version);
        var now = services.Time.GetUtcNow();
        var state = FailurePlan.Forget(State, now, services.CacheOptions.FailureMemory, services.ReplicaOptions);
        keeper.Note(FailurePlan.Take(state, source, load.SettingsRevision, replica.Silo, now));
        var request = services.Requests.Of(State.Registration!, source, ReplicaPlan.Holders(State, version), FailurePlan.Silos(State, version));
        if (FailurePlan.Silos(State, version).Length >= services.ReplicaOptions.MaxFailedSilos || services.Silos.IsAlone || services.Silos.CountEligible(request) == 0)
        {
            return new LoadOutcome(replica, failure, IsFinal: true);
        }

        services.Metrics.FailureMoved();
        Log.FailureMoved(logger, version, model, replica.Silo.ToString(), failure.Message);
        return new LoadOutcome(replica, failure);
    }

    private IModelReplicaGrain Grain(long version, PlacedReplica replica) =>
        services.Grains.GetReplica(new ModelReplicaId(model, version, replica.Number, replica.Silo));

    private sealed class Load(ModelVersionSource source, string settingsRevision) : IDisposable
    {
        public ModelVersionSource Source { get; } = source;

        public string SettingsRevision { get; } = settingsRevision;

        public CancellationTokenSource GivenUp { get; } = new();

        /// <summary>Silos that said once that the replica is not to be loaded there.</summary>
        public HashSet<SiloAddress> Moved { get; } = [];

        /// <summary>Silos that turned out to have no room without an eviction.</summary>
        public HashSet<SiloAddress> Full { get; } = [];

        /// <summary>Silos that did not take it.</summary>
        public HashSet<SiloAddress> Refused { get; } = [];

        public void Dispose() => GivenUp.Dispose();
    }
}

/// <summary>What became of a load, on the last silo that it was tried on.</summary>
/// <param name="Replica">The replica, which still arrives; null where no silo could be chosen.</param>
/// <param name="Failure">Why it is not loaded; null if it is.</param>
/// <param name="IsFinal">Whether another try would end the same way as long as content and settings are the same.</param>
internal sealed record LoadOutcome(PlacedReplica? Replica, Failure? Failure, bool IsFinal = false)
{
    /// <summary>Whether the load was given up because the model is to serve something else.</summary>
    public bool IsSuperseded { get; init; }

    /// <summary>Whether its content is taken out of service, as silos do not survive its load.</summary>
    public bool IsQuarantined { get; init; }

    public bool Succeeded => Failure is null;

    public bool NoRoom => Failure?.Kind == FailureKind.Full;
}
