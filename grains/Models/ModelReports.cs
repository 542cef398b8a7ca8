using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>
/// Takes what replicas, silos and gateways report of a model. The state changes at once; what follows from it is scheduled as a turn of its own. Used in the turns
/// of the model's grain alone.
/// </summary>
internal sealed class ModelReports(
    string name, ModelServices services, ModelKeeper keeper, ReplicaWork work, ScalingDesk scaling, ModelChange change, ModelTurns turns, ILogger logger)
{
    private readonly Quarantine _quarantine = new(name, services, keeper, work, logger);

    private ModelGrainState State => keeper.State;

    /// <inheritdoc cref="IModelGrain.ReplicaEndedAsync"/>
    public async Task ReplicaEndedAsync(ReplicaEnd end)
    {
        var id = end.Replica;
        if (end.IsStuck && ReplicaPlan.Serving(State, id.Version).Contains(new PlacedReplica(id.Number, id.Silo)))
        {
            change.Reload(await _quarantine.StickAsync(id.Version, id.Silo) ? [id.Version] : []);
            turns.Schedule();
        }

        var state = ReplicaPlan.Ended(State, id.Version, new PlacedReplica(id.Number, id.Silo), end.Statistics);
        if (end.Statistics.LastInference is { } used && state.Loaded.ContainsKey(id.Version))
        {
            state = scaling.Use(state, id.Version, used);
        }

        await TakeAsync(state, id.Version, end.Reason);
    }

    /// <summary>Tells gateways how far the download for a replica is, while that still arrives.</summary>
    public void Download(ModelReplicaId replica, int percent)
    {
        if (ReplicaPlan.Arriving(State, replica.Version).Contains(new PlacedReplica(replica.Number, replica.Silo)))
        {
            keeper.TellDownload(replica.Version, string.Create(CultureInfo.InvariantCulture, $"{ServingReasons.Downloading}{percent} %"));
        }
    }

    /// <inheritdoc cref="IModelGrain.ReportLoadAsync"/>
    public Task ReportLoadAsync(UtilizationReport load)
    {
        if (scaling.Take(load, mayDecide: turns.AreIdle))
        {
            turns.Schedule();
        }

        return scaling.SaveUsesAsync();
    }

    /// <inheritdoc cref="IModelGrain.SilosLostAsync"/>
    public async Task SilosLostAsync(ImmutableArray<SiloAddress> silos)
    {
        await JudgeAsync();
        var before = State;
        var state = ReplicaPlan.Lose(FailurePlan.Lose(before, silos, services.Time.GetUtcNow()), silos);
        if (ReferenceEquals(state, before))
        {
            keeper.TellAgain();
            return;
        }

        var lost = before.Loaded.Keys.Sum(version => ReplicaPlan.Serving(before, version).Length - ReplicaPlan.Serving(state, version).Length);
        Log.ReplicasLost(logger, name, lost, string.Join(", ", silos));
        services.Metrics.ReplicasLost(lost);
        var kept = keeper.KeepAsync(state);
        keeper.Tell(ServingReasons.SiloLost);
        change.Reload(state.Loaded.Keys.Where(version =>
            ReplicaPlan.IsOnDemand(state, version)
            && (ReplicaPlan.Arriving(state, version).Length < ReplicaPlan.Arriving(before, version).Length
                || (!ReplicaPlan.IsOnDemand(before, version) && (work.IsUsedLately(version) || state.Registration?.CopyBounds().Least > 1)))));
        turns.Schedule();
        await kept;
    }

    /// <inheritdoc cref="IModelGrain.AccuseAsync"/>
    public Task AccuseAsync(long version, ImmutableArray<SiloAddress> silos)
    {
        _quarantine.Accuse(version, silos);
        return JudgeAsync();
    }

    /// <summary>Takes the reports of a version's replicas.</summary>
    /// <param name="cause">Why they changed, for people.</param>
    public async Task TakeAsync(ModelGrainState state, long version, string cause)
    {
        if (ReferenceEquals(state, State))
        {
            return;
        }

        var kept = keeper.KeepAsync(state);
        keeper.Tell(cause);
        await kept;
        if (State.Registration is not null && change.IsDue(version))
        {
            turns.Schedule();
        }
    }

    private async Task JudgeAsync()
    {
        if (await _quarantine.JudgeAsync())
        {
            // An older version may serve in its place.
            turns.Schedule();
        }
    }
}
