using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cache;
using Cluster.Grains.Placement;
using Cluster.Grains.Scaling;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>Carries out changes of a model's replicas. New replicas are loaded before the former ones end. Used only in the turns of the model's grain.</summary>
internal sealed class ReplicaWork(string model, ModelServices services, ModelKeeper keeper, ReplicaLoader loader, ILogger logger)
{
    private const string SiloLeaves = "its silo leaves";
    private const string LoadedAnew = "not in memory, and wanted again";

    private readonly Dictionary<long, Task<LoadOutcome>> _onDemand = [];

    private ModelGrainState State => keeper.State;

    /// <summary>
    /// Loads the content that a version should have, as many replicas as it had. They serve in the place of the former ones in one step.
    /// </summary>
    /// <returns>Null: done, found broken, or given up. Else how long to wait for room, and why.</returns>
    public async Task<(TimeSpan Wait, string Reason)?> LoadContentAsync(ModelVersionSource source)
    {
        var version = source.Version;
        var inMemory = ReplicaPlan.Serving(State, version).Length;
        if (!TryClaim(source, out var claim) && inMemory == 0)
        {
            await ServeOnDemandAsync(source);
            return null;
        }

        var settingsRevision = State.Registration!.SettingsRevision;
        LoadOutcome[] outcomes;
        try
        {
            outcomes = await Task.WhenAll(Enumerable.Range(0, Math.Max(1, Math.Min(inMemory, Eligible(source)))).Select(_ => loader.LoadAsync(source)));
        }
        finally
        {
            services.Cache.EndClaim(claim);
        }

        var loaded = Loaded(outcomes);
        if (!loaded.IsEmpty)
        {
            await ReplaceAsync(source, settingsRevision, loaded);
            return null;
        }

        if (outcomes.Any(outcome => outcome.IsSuperseded))
        {
            await GiveUpAsync(version, Replicas(outcomes));
            return null;
        }

        return await RefuseAsync(source, settingsRevision, outcomes);
    }

    /// <summary>Has a version in memory that serves on demand. Callers that come while it is being loaded wait for the same load.</summary>
    public Task<LoadOutcome> LoadOnDemandAsync(ModelVersionSource source) =>
        _onDemand.TryGetValue(source.Version, out var load) ? load : _onDemand[source.Version] = LoadOnDemandOnceAsync(source);

    /// <summary>Adds replicas to a version that is in memory, or takes some away, until there are as many as wanted.</summary>
    public async Task AdjustAsync(long version, ScalingDecision decision)
    {
        while (State.Loaded.ContainsKey(version) && ModelPlan.IsCurrent(State, version) && Source(version) is { } source)
        {
            var have = ReplicaPlan.Serving(State, version);
            var wanted = ModelPlan.WantedReplicas(State, version, Eligible(source));
            if (have.IsEmpty || have.Length == wanted)
            {
                return;
            }

            if (have.Length > wanted)
            {
                await RemoveAsync(
                    version, have.FirstOrDefault(replica => replica.Number == decision.Remove) ?? have[^1], decision.Reason.Length > 0 ? decision.Reason : "more than are wanted");
                services.Metrics.ScaledDown(decision.Cause == ScalingCause.ShortMemory ? decision.Cause : ScalingCause.Maximum);
                continue;
            }

            var added = await AddAsync(source, wanted - have.Length, decision.ForLoad, decision.Reason.Length > 0 ? decision.Reason : "fewer than are wanted", without: []);
            if (added < wanted - have.Length)
            {
                // Asked for again when there is reason again, not in a circle.
                Aim(version, have.Length + added);
            }

            if (added > 0)
            {
                services.Metrics.ScaledUp(decision.Cause is ScalingCause.Load or ScalingCause.LastingUse ? decision.Cause : ScalingCause.Minimum, added);
            }

            return;
        }
    }

    /// <summary>Loads a version that serves on demand, as far as there is room for it.</summary>
    public async Task ReloadAsync(long version)
    {
        if (ReplicaPlan.IsOnDemand(State, version) && ModelPlan.IsCurrent(State, version) && Source(version) is { } source)
        {
            var outcome = await LoadOnDemandAsync(source);
            if (!outcome.Succeeded)
            {
                Log.NotReloaded(logger, version, model, outcome.Failure!.Message);
            }
        }
    }

    /// <summary>Has a silo's replicas be elsewhere: those in use are replaced first, the others wait for their next request.</summary>
    public async Task LeaveAsync(SiloAddress silo)
    {
        foreach (var version in State.Loaded.Keys)
        {
            foreach (var replica in ReplicaPlan.Serving(State, version).Where(replica => replica.Silo == silo))
            {
                await LeaveAsync(version, replica);
            }
        }
    }

    /// <summary>Whether a version was used so lately that it should be in memory.</summary>
    public bool IsUsedLately(long version) =>
        State.Uses.GetValueOrDefault(version) is { } use && services.Time.GetUtcNow() - use.LastUsed <= services.ReplicaOptions.UsedLately;

    /// <summary>Silos that may hold a replica, at least 1.</summary>
    public int Eligible(ModelVersionSource source) =>
        services.Silos.IsAlone ? 1 : Math.Max(1, services.Silos.CountEligible(services.Requests.Of(State.Registration!, source, [], [])));

    /// <summary>Silos that could take one more replica.</summary>
    public int Candidates(ModelVersionSource source) => services.Silos.IsAlone ? 0 : services.Silos.CountEligible(NextRequest(source));

    public Task EndAsync(long version, IEnumerable<PlacedReplica> replicas) => Task.WhenAll(replicas.Select(replica => loader.EndAsync(version, replica)));

    private static ImmutableArray<PlacedReplica> Loaded(LoadOutcome[] outcomes) => Replicas(outcomes.Where(static outcome => outcome.Succeeded));

    private static ImmutableArray<PlacedReplica> Replicas(IEnumerable<LoadOutcome> outcomes) =>
        [.. outcomes.Select(static outcome => outcome.Replica).OfType<PlacedReplica>()];

    /// <summary>Has a version serve with replicas that are there, and ends those that served before.</summary>
    private async Task ReplaceAsync(ModelVersionSource source, string settingsRevision, ImmutableArray<PlacedReplica> replicas)
    {
        var version = source.Version;
        var replaced = State.Loaded.GetValueOrDefault(version);
        var kept = keeper.KeepAsync(ReplicaPlan.Replace(State, version, new LoadedVersion(replicas, source.Revision, settingsRevision, replaced?.Target ?? 1)));
        keeper.Tell(replicas.IsEmpty ? "" : replaced is { Replicas.IsEmpty: false } ? "new content or settings" : "its version is to serve");
        await kept;
        if (!replicas.IsEmpty)
        {
            Log.Serves(logger, version, model, Numbers(replicas));
        }

        await EndAsync(version, replaced?.Replicas ?? []);
    }

    private async Task ServeOnDemandAsync(ModelVersionSource source)
    {
        Log.ServesOnDemand(logger, source.Version, model);
        await ReplaceAsync(source, State.Registration!.SettingsRevision, []);
    }

    private async Task<LoadOutcome> LoadOnDemandOnceAsync(ModelVersionSource source)
    {
        var version = source.Version;
        var settingsRevision = State.Registration!.SettingsRevision;
        try
        {
            var outcome = await loader.LoadAsync(source);
            if (outcome.Succeeded)
            {
                return await ServeAsync(source, settingsRevision, outcome);
            }

            var state = ReplicaPlan.GiveUp(State, version, Replicas([outcome]));
            if (outcome.IsFinal && ReplicaPlan.IsOnDemand(state, version))
            {
                var cause = LoadFailures.Cause(outcome.Failure!.Message, model, version);
                Log.FailedOnDemand(logger, version, model, services.CacheOptions.FailureMemory.TotalSeconds, cause);
                NoteQuarantine(version, outcome);
                var load = new FailedLoad(source.Revision, settingsRevision, cause, outcome.IsQuarantined ? null : services.Time.GetUtcNow() + services.CacheOptions.FailureMemory);
                state = ReplicaPlan.End(state, version) with { Failed = state.Failed.SetItem(version, load) };
            }

            await KeepAndTellAsync(state);
            return outcome;
        }
        finally
        {
            _onDemand.Remove(version);
        }
    }

    /// <summary>A replica that was loaded on demand serves, unless its version is to serve other content by now, or nothing.</summary>
    private async Task<LoadOutcome> ServeAsync(ModelVersionSource source, string settingsRevision, LoadOutcome outcome)
    {
        var version = source.Version;
        var replica = outcome.Replica!;
        if (State.Loaded.GetValueOrDefault(version) is { Replicas.IsEmpty: true } empty)
        {
            await KeepAndTellAsync(ReplicaPlan.Replace(State, version, empty with { Replicas = [replica], Revision = source.Revision, SettingsRevision = settingsRevision }), LoadedAnew);
        }
        else if (State.Loaded.GetValueOrDefault(version) is { } loaded && (loaded.Revision, loaded.SettingsRevision) == (source.Revision, settingsRevision))
        {
            if (!Doubled(version, [replica], without: []).IsEmpty)
            {
                await GiveUpAsync(version, [replica]);
                await loader.EndAsync(version, replica);
                return outcome with { Replica = null };
            }

            await KeepAndTellAsync(ReplicaPlan.Add(State, version, [replica], []), LoadedAnew);
        }
        else
        {
            await GiveUpAsync(version, [replica]);
            await loader.EndAsync(version, replica);
            return new LoadOutcome(replica, Failure.Moved($"model '{model}' version {version} serves other content now")) { IsSuperseded = true };
        }

        Log.Serves(logger, version, model, Numbers([replica]));
        return outcome;
    }

    private async Task<(TimeSpan Wait, string Reason)?> RefuseAsync(ModelVersionSource source, string settingsRevision, LoadOutcome[] outcomes)
    {
        var version = source.Version;
        var arriving = Replicas(outcomes);
        var failed = outcomes.FirstOrDefault(outcome => outcome.IsFinal) ?? outcomes.FirstOrDefault(outcome => !outcome.NoRoom) ?? outcomes[0];
        if (failed.NoRoom)
        {
            if (ReplicaPlan.Serving(State, version).IsEmpty)
            {
                keeper.Note(ReplicaPlan.GiveUp(State, version, arriving));
                await ServeOnDemandAsync(source);
                return null;
            }

            await GiveUpAsync(version, arriving);
            return (failed.Failure!.RetryAfter ?? ReplicaLoader.NoSiloRetry, failed.Failure.Message);
        }

        var cause = LoadFailures.Cause(failed.Failure!.Message, model, version);
        if (State.Loaded.ContainsKey(version))
        {
            Log.OldContentStays(logger, model, version, cause);
        }

        NoteQuarantine(version, failed);
        DateTimeOffset? retryOn = failed.IsFinal ? null : services.Time.GetUtcNow() + ReplicaLoader.NoSiloRetry;
        var state = ReplicaPlan.GiveUp(State, version, arriving);
        await KeepAndTellAsync(state with { Failed = state.Failed.SetItem(version, new FailedLoad(source.Revision, settingsRevision, cause, retryOn, failed.Failure.Code == StatusCode.FailedPrecondition)) });
        return null;
    }

    private void NoteQuarantine(long version, LoadOutcome outcome)
    {
        if (outcome.IsQuarantined)
        {
            services.Metrics.Quarantined();
            Log.Quarantined(logger, model, version, "its load", string.Join(" and ", FailurePlan.Lost(State, version, services.Time.GetUtcNow()).Select(static loss => loss.Silo)));
        }
    }

    /// <summary>Loads replicas beside those that serve, and has them serve too.</summary>
    /// <param name="cause">Why, for people.</param>
    /// <param name="without">Replicas that go in the same step, and then end.</param>
    /// <returns>How many there are now.</returns>
    private async Task<int> AddAsync(ModelVersionSource source, int count, bool forLoad, string cause, ImmutableArray<PlacedReplica> without)
    {
        var version = source.Version;
        count = Math.Min(count, Candidates(source));
        if (count == 0)
        {
            return 0;
        }

        var outcomes = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => loader.LoadAsync(source, besideOthers: true, forLoad)));
        var loaded = Loaded(outcomes);
        foreach (var failure in outcomes.Select(outcome => outcome.Failure).OfType<Failure>())
        {
            Log.NotAdded(logger, version, model, failure.Message);
        }

        await GiveUpAsync(version, Replicas(outcomes.Where(outcome => !outcome.Succeeded)));
        if (loaded.IsEmpty || !State.Loaded.ContainsKey(version))
        {
            await GiveUpAsync(version, loaded);
            await EndAsync(version, loaded);
            return 0;
        }

        var doubled = Doubled(version, loaded, without);
        loaded = loaded.RemoveRange(doubled);
        if (loaded.IsEmpty)
        {
            await GiveUpAsync(version, doubled);
        }
        else
        {
            await KeepAndTellAsync(ReplicaPlan.Add(ReplicaPlan.GiveUp(State, version, doubled), version, loaded, without), cause);
            Log.ReplicasAdded(logger, version, model, Numbers(loaded));
            await EndAsync(version, without);
        }

        await EndAsync(version, doubled);
        return loaded.Length;
    }

    /// <summary>Replicas whose silo serves the same by now: a request and a change may have loads under way at once.</summary>
    /// <param name="without">Replicas that are about to go.</param>
    private ImmutableArray<PlacedReplica> Doubled(long version, ImmutableArray<PlacedReplica> loaded, ImmutableArray<PlacedReplica> without)
    {
        var silos = ReplicaPlan.Serving(State, version).Except(without).Select(static replica => replica.Silo).ToHashSet();
        return loaded.RemoveAll(replica => !silos.Contains(replica.Silo));
    }

    private async Task RemoveAsync(long version, PlacedReplica replica, string cause)
    {
        await KeepAndTellAsync(ReplicaPlan.Remove(State, version, replica), cause);
        Log.ReplicaRemoved(logger, version, model, replica.Number);
        await loader.EndAsync(version, replica);
    }

    private async Task LeaveAsync(long version, PlacedReplica replica)
    {
        var silo = replica.Silo.ToString();
        if (!IsUsedLately(version))
        {
            await RemoveAsync(version, replica, SiloLeaves);
        }
        else if (ModelPlan.IsCurrent(State, version) && Source(version) is { } source && await AddAsync(source, 1, forLoad: false, SiloLeaves, without: [replica]) > 0)
        {
            services.Metrics.ReplicaMoved();
            Log.ReplicaMoved(logger, version, model, replica.Number, silo);
        }
        else if (ReplicaPlan.Serving(State, version).Any(other => other.Silo != replica.Silo))
        {
            await RemoveAsync(version, replica, SiloLeaves);
        }
        else
        {
            Log.ReplicaStays(logger, version, model, replica.Number, silo);
        }
    }

    private async Task GiveUpAsync(long version, ImmutableArray<PlacedReplica> replicas)
    {
        if (!replicas.IsEmpty)
        {
            await KeepAndTellAsync(ReplicaPlan.GiveUp(State, version, replicas));
        }
    }

    /// <summary>Published before it is written, because a gateway that hears late asks for a replica that is gone.</summary>
    private Task KeepAndTellAsync(ModelGrainState state, string cause = "")
    {
        var kept = keeper.KeepAsync(state);
        keeper.Tell(cause);
        return kept;
    }

    private void Aim(long version, int target)
    {
        if (State.Loaded.GetValueOrDefault(version) is { } loaded)
        {
            keeper.Note(State with { Loaded = State.Loaded.SetItem(version, loaded with { Target = target }) });
        }
    }

    /// <summary>
    /// Whether there is room without an eviction. On a single silo the room is claimed until the load begins. Of other silos only their last published room is known.
    /// </summary>
    private bool TryClaim(ModelVersionSource source, out CacheEntry? claim)
    {
        claim = null;
        if (services.Silos.Only is { } only)
        {
            var id = new ModelReplicaId(model, source.Version, State.NextReplica.GetValueOrDefault(source.Version), only);
            return services.Cache.TryClaim(id, source, out claim);
        }

        return services.Silos.HasRoom(NextRequest(source)) || Candidates(source) == 0;
    }

    private PlacementRequest NextRequest(ModelVersionSource source) => services.Requests.Of(
        State.Registration!, source, ReplicaPlan.Holders(State, source.Version), FailurePlan.Silos(State, source.Version));

    private ModelVersionSource? Source(long version) => State.Registration?.Versions.FirstOrDefault(source => source.Version == version);

    private static string Numbers(IEnumerable<PlacedReplica> replicas) => string.Join(", ", replicas.Select(static replica => replica.Number));
}
