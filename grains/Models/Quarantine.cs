using System.Collections.Immutable;
using Cluster.Contracts.Serving;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>
/// Takes a version out of service once one request for it has taken down two silos, or the runs of three replicas did not end. It serves again once it is loaded again or its content changes.
/// The membership must have both as dead: a gateway that is cut off loses calls to silos that live. Used in the turns of the model's grain alone.
/// </summary>
internal sealed class Quarantine(string model, ModelServices services, ModelKeeper keeper, ReplicaWork work, ILogger logger)
{
    private const string Reason = ServingReasons.Quarantined + ": one request took down two silos, one after the other; load the model again to serve it";
    private const string StuckReason = ServingReasons.Quarantined + ": the runs of three replicas did not end; load the model again to serve it";

    /// <summary>Replicas of one content whose slots were all held by runs that do not end, after which it is served no more.</summary>
    private const int MaxStuck = 3;

    /// <summary>How long after a call was lost its silo may be found dead: far longer than that takes.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(1);

    private readonly List<Accusation> _accusations = [];

    /// <summary>Keeps a gateway's report for <see cref="JudgeAsync"/>.</summary>
    public void Accuse(long version, ImmutableArray<SiloAddress> silos)
    {
        if (keeper.State.Loaded.GetValueOrDefault(version) is { } loaded && silos.Distinct().Count() > 1)
        {
            _accusations.Add(new Accusation(version, loaded.Revision, silos, services.Time.GetUtcNow()));
        }
    }

    /// <summary>Takes versions out of service that are now found guilty.</summary>
    /// <returns>Whether something was.</returns>
    public async Task<bool> JudgeAsync()
    {
        var now = services.Time.GetUtcNow();
        var proven = _accusations.FindAll(accusation => accusation.Silos.All(services.Silos.IsDead));
        _accusations.RemoveAll(accusation => proven.Contains(accusation) || now - accusation.At > MaxWait);
        var any = false;
        foreach (var accusation in proven)
        {
            any |= await CarryOutAsync(accusation);
        }

        return any;
    }

    /// <summary>All slots of a replica that served are held by runs that do not end; its version is loaded elsewhere, or taken out of service.</summary>
    /// <returns>Whether it goes on being served.</returns>
    public async Task<bool> StickAsync(long version, SiloAddress silo)
    {
        if (keeper.State.Loaded.GetValueOrDefault(version) is not { } loaded)
        {
            return false;
        }

        var (now, memory) = (services.Time.GetUtcNow(), services.ReplicaOptions.StuckMemory);
        keeper.Note(FailurePlan.Stick(keeper.State, version, loaded, silo, now, memory));
        if (FailurePlan.Stuck(keeper.State, version, now, memory) is not { Length: >= MaxStuck } stuck)
        {
            return true;
        }

        Log.QuarantinedStuck(logger, model, version, string.Join(" and ", stuck.Select(static one => one.Silo)));
        await TakeOutAsync(version, loaded, StuckReason);
        return false;
    }

    private async Task<bool> CarryOutAsync(Accusation accusation)
    {
        var (version, state) = (accusation.Version, keeper.State);
        if (state.Loaded.GetValueOrDefault(version) is not { } loaded || loaded.Revision != accusation.Revision)
        {
            return false;
        }

        Log.Quarantined(logger, model, version, "one request", string.Join(" and ", accusation.Silos));
        await TakeOutAsync(version, loaded, Reason);
        return true;
    }

    private async Task TakeOutAsync(long version, LoadedVersion loaded, string reason)
    {
        var state = keeper.State;
        services.Metrics.Quarantined();
        ImmutableArray<PlacedReplica> replicas = [.. loaded.Replicas, .. ReplicaPlan.Arriving(state, version)];
        var kept = keeper.KeepAsync(ReplicaPlan.End(state, version) with
        {
            Failed = state.Failed.SetItem(version, new FailedLoad(loaded.Revision, loaded.SettingsRevision, reason)),
        });
        keeper.Tell();
        await kept;
        await work.EndAsync(version, replicas);
    }

    private sealed record Accusation(long Version, string Revision, ImmutableArray<SiloAddress> Silos, DateTimeOffset At);
}
