using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Grains.Placement;
using Cluster.Grains.Scaling;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>Carries out changes of a model's copies, one at a time: what is new is loaded before what was ends.</summary>
internal sealed class CopyWork(string model, ModelServices services, ModelKeeper keeper, CopyLoader loader, ILogger logger)
{
    private ModelGrainState State => keeper.State;

    /// <summary>
    /// Loads the content that a version should have, as many copies as it had in memory, and has them serve in the place of the former ones in one step.
    /// </summary>
    /// <returns>Null: done, or found broken. Else how long to wait for room, and why.</returns>
    public async Task<(TimeSpan Wait, string Reason)?> LoadContentAsync(ModelVersionSource source)
    {
        var version = source.Version;
        var inMemory = CopyPlan.InMemory(State, version).Length;
        var (state, copies) = CopyPlan.Arrive(State, version, Math.Max(1, Math.Min(inMemory, Eligible(source))));
        if (!TryClaim(source, copies[0], out var claim) && inMemory == 0)
        {
            keeper.Note(state);
            await ServeOnDemandAsync(source, copies[0]);
            return null;
        }

        await keeper.KeepAsync(state);
        keeper.Tell();
        LoadOutcome[] outcomes;
        try
        {
            outcomes = await Task.WhenAll(copies.Select(copy => loader.LoadAsync(source, copy)));
        }
        catch (OperationCanceledException)
        {
            await GiveUpAsync(version, copies);
            throw;
        }
        finally
        {
            services.Cache.EndClaim(claim);
        }

        ImmutableArray<int> loaded = [.. copies.Where((_, index) => outcomes[index].Succeeded)];
        if (!loaded.IsEmpty)
        {
            await ReplaceAsync(source, loaded, inMemory: true);
            return null;
        }

        return await RefuseAsync(source, copies, outcomes);
    }

    /// <summary>Adds copies to a version that is in memory, or takes some away, until there are as many as wanted.</summary>
    public async Task AdjustAsync(long version, int? unwanted, ScalingCause cause)
    {
        while (State.Loaded.ContainsKey(version) && ModelPlan.IsCurrent(State, version) && Source(version) is { } source)
        {
            var have = CopyPlan.InMemory(State, version);
            var wanted = ModelPlan.WantedCopies(State, version, Eligible(source));
            if (have.IsEmpty || have.Length == wanted)
            {
                return;
            }

            if (have.Length > wanted)
            {
                await RemoveAsync(version, unwanted is { } named && have.Contains(named) ? named : have[^1]);
                services.Metrics.ScaledDown(cause == ScalingCause.ShortMemory ? cause : ScalingCause.Maximum);
                continue;
            }

            var added = await AddAsync(source, wanted - have.Length, without: []);
            if (added < wanted - have.Length)
            {
                // Asked for again when there is reason again, not in a circle.
                Aim(version, have.Length + added);
            }

            if (added > 0)
            {
                services.Metrics.ScaledUp(cause is ScalingCause.Load or ScalingCause.LastingUse ? cause : ScalingCause.Minimum, added);
            }

            return;
        }
    }

    /// <summary>Loads a version that serves on demand, as far as there is room for it.</summary>
    public async Task ReloadAsync(long version)
    {
        if (CopyPlan.IsOnDemand(State, version) && ModelPlan.IsCurrent(State, version) && Source(version) is { } source)
        {
            var outcome = await loader.LoadAsync(source, State.Loaded[version].Copies[0]);
            if (!outcome.Succeeded)
            {
                Log.NotReloaded(logger, version, model, outcome.Failure!.Message);
            }
        }
    }

    /// <summary>Has a silo's copies be elsewhere: those in use are replaced first, the others wait for their next request.</summary>
    public async Task LeaveAsync(string silo)
    {
        foreach (var version in State.Loaded.Keys)
        {
            foreach (var copy in CopyPlan.On(State, version, silo))
            {
                await LeaveAsync(version, copy, silo);
            }
        }
    }

    /// <summary>Whether a version was used so lately that it should be in memory.</summary>
    public bool IsUsedLately(long version) =>
        State.Uses.GetValueOrDefault(version) is { } use && services.Time.GetUtcNow() - use.LastUsed <= services.CopyOptions.UsedLately;

    /// <summary>Silos that may hold a copy, at least 1.</summary>
    public int Eligible(ModelVersionSource source) =>
        services.Silos.IsAlone ? 1 : Math.Max(1, services.Silos.CountEligible(services.Requests.Of(State.Registration!, source, [], [])));

    /// <summary>Silos that could take one more copy.</summary>
    public int Candidates(ModelVersionSource source) => services.Silos.IsAlone ? 0 : services.Silos.CountEligible(NextRequest(source));

    /// <summary>Has a version serve with copies that are there, and ends those that served before.</summary>
    public async Task ReplaceAsync(ModelVersionSource source, ImmutableArray<int> copies, bool inMemory)
    {
        var version = source.Version;
        var replaced = State.Loaded.GetValueOrDefault(version);
        var by = new LoadedVersion(copies, source.Revision, State.Registration!.SettingsRevision, replaced?.Target ?? 1);
        await keeper.KeepAsync(CopyPlan.Replace(State, version, by, inMemory));
        keeper.Tell();
        if (inMemory)
        {
            Log.Serves(logger, version, model, string.Join(", ", copies));
        }

        await EndAsync(version, replaced?.Copies ?? []);
    }

    public async Task EndAsync(long version, ImmutableArray<int> copies) => await Task.WhenAll(copies.Select(copy => loader.EndAsync(version, copy)));

    private async Task ServeOnDemandAsync(ModelVersionSource source, int copy)
    {
        Log.ServesOnDemand(logger, source.Version, model);
        await ReplaceAsync(source, [copy], inMemory: false);
    }

    private async Task<(TimeSpan Wait, string Reason)?> RefuseAsync(ModelVersionSource source, ImmutableArray<int> copies, LoadOutcome[] outcomes)
    {
        var failed = outcomes.FirstOrDefault(outcome => outcome.IsFinal) ?? outcomes.FirstOrDefault(outcome => !outcome.NoRoom) ?? outcomes[0];
        if (failed.NoRoom)
        {
            if (CopyPlan.InMemory(State, source.Version).IsEmpty)
            {
                await ServeOnDemandAsync(source, copies[0]);
                return null;
            }

            await GiveUpAsync(source.Version, copies);
            return (failed.Failure!.RetryAfter ?? CopyLoader.NoSiloRetry, failed.Failure.Message);
        }

        var cause = LoadFailures.Cause(failed.Failure!.Message, model, source.Version);
        if (State.Loaded.ContainsKey(source.Version))
        {
            Log.OldContentStays(logger, model, source.Version, cause);
        }

        DateTimeOffset? retryOn = failed.IsFinal ? null : services.Time.GetUtcNow() + CopyLoader.NoSiloRetry;
        var load = new FailedLoad(source.Revision, State.Registration!.SettingsRevision, cause, retryOn);
        var state = CopyPlan.GiveUp(State, source.Version, copies);
        var kept = keeper.KeepAsync(state with { Failed = state.Failed.SetItem(source.Version, load) });

        // At once: a request that still took the version for one that loads would begin a load that nobody keeps account of.
        keeper.Tell();
        await kept;
        return null;
    }

    /// <summary>Loads copies beside those that serve, and has them serve too.</summary>
    /// <param name="without">Copies that go in the same step, and then end.</param>
    /// <returns>How many there are now.</returns>
    private async Task<int> AddAsync(ModelVersionSource source, int count, ImmutableArray<int> without)
    {
        var version = source.Version;
        count = Math.Min(count, Candidates(source));
        if (count == 0)
        {
            return 0;
        }

        var (state, copies) = CopyPlan.Arrive(State, version, count);
        await keeper.KeepAsync(state);
        keeper.Tell();
        ImmutableArray<int> loaded = [];
        try
        {
            var outcomes = await Task.WhenAll(copies.Select(copy => loader.LoadAsync(source, copy)));
            loaded = [.. copies.Where((_, index) => outcomes[index].Succeeded)];
            foreach (var failure in outcomes.Select(outcome => outcome.Failure).OfType<Contracts.Errors.Failure>())
            {
                Log.NotAdded(logger, version, model, failure.Message);
            }
        }
        finally
        {
            await GiveUpAsync(version, copies.RemoveAll(loaded.Contains));
        }

        if (loaded.IsEmpty || !State.Loaded.ContainsKey(version))
        {
            await GiveUpAsync(version, loaded);
            await EndAsync(version, loaded);
            return 0;
        }

        await keeper.KeepAsync(CopyPlan.Add(State, version, loaded, without));
        keeper.Tell();
        Log.CopiesAdded(logger, version, model, string.Join(", ", loaded));
        await EndAsync(version, without);
        return loaded.Length;
    }

    private async Task RemoveAsync(long version, int copy)
    {
        await keeper.KeepAsync(CopyPlan.Remove(State, version, copy));
        keeper.Tell();
        Log.CopyRemoved(logger, version, model, copy);
        await loader.EndAsync(version, copy);
    }

    private async Task LeaveAsync(long version, int copy, string silo)
    {
        if (!IsUsedLately(version))
        {
            await RemoveAsync(version, copy);
            return;
        }

        if (ModelPlan.IsCurrent(State, version) && Source(version) is { } source && await AddAsync(source, 1, without: [copy]) > 0)
        {
            services.Metrics.CopyMoved();
            Log.CopyMoved(logger, version, model, copy, silo);
        }
        else if (CopyPlan.InMemory(State, version).Any(other => CopyPlan.PresenceOf(State, version, other)?.Silo is { } holder && holder != silo))
        {
            await RemoveAsync(version, copy);
        }
        else
        {
            Log.CopyStays(logger, version, model, copy, silo);
        }
    }

    private async Task GiveUpAsync(long version, ImmutableArray<int> copies)
    {
        if (!copies.IsEmpty)
        {
            await keeper.KeepAsync(CopyPlan.GiveUp(State, version, copies));
            keeper.Tell();
        }
    }

    private void Aim(long version, int target)
    {
        if (State.Loaded.GetValueOrDefault(version) is { } loaded)
        {
            keeper.Note(State with { Loaded = State.Loaded.SetItem(version, loaded with { Target = target }) });
        }
    }

    /// <summary>
    /// Whether there is room without evicting anybody. Alone, room is claimed until the load begins; of other silos' room only what they said last is known.
    /// </summary>
    private bool TryClaim(ModelVersionSource source, int copy, out CacheEntry? claim)
    {
        claim = null;
        return services.Silos.IsAlone
            ? services.Cache.TryClaim(new ModelCopyId(model, source.Version, copy), source, out claim)
            : services.Silos.HasRoom(NextRequest(source)) || Candidates(source) == 0;
    }

    private PlacementRequest NextRequest(ModelVersionSource source) => services.Requests.Of(
        State.Registration!,
        source,
        CopyPlan.Placements(State, source.Version).Select(static placement => placement.Silo),
        FailurePlan.Silos(State, source.Version));

    private ModelVersionSource? Source(long version) => State.Registration?.Versions.FirstOrDefault(source => source.Version == version);
}
