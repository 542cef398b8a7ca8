using System.Collections.Immutable;
using Cluster.Contracts.Serving;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>
/// Takes a version out of service once one request for it has taken down two silos, until it is loaded again or its content changes.
/// The membership must have both as dead: a gateway that is cut off loses calls to silos that live. Used in the turns of the model's grain alone.
/// </summary>
internal sealed class Quarantine(string model, ModelServices services, ModelKeeper keeper, ReplicaWork work, ILogger logger)
{
    private const string Reason = ServingReasons.Quarantined + ": one request took down two silos, one after the other; load the model again to serve it";

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

    private async Task<bool> CarryOutAsync(Accusation accusation)
    {
        var (version, state) = (accusation.Version, keeper.State);
        if (state.Loaded.GetValueOrDefault(version) is not { } loaded || loaded.Revision != accusation.Revision)
        {
            return false;
        }

        Log.Quarantined(logger, model, version, "one request", string.Join(" and ", accusation.Silos));
        services.Metrics.Quarantined();
        ImmutableArray<PlacedReplica> replicas = [.. loaded.Replicas, .. ReplicaPlan.Arriving(state, version)];
        var kept = keeper.KeepAsync(ReplicaPlan.End(state, version) with
        {
            Failed = state.Failed.SetItem(version, new FailedLoad(loaded.Revision, loaded.SettingsRevision, Reason)),
        });
        keeper.Tell();
        await kept;
        await work.EndAsync(version, replicas);
        return true;
    }

    private sealed record Accusation(long Version, string Revision, ImmutableArray<SiloAddress> Silos, DateTimeOffset At);
}
