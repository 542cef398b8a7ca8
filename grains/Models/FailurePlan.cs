using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>Where a content failed to load, and for how long that counts. Pure.</summary>
internal static class FailurePlan
{
    /// <summary>Silos lost within it while they loaded one content are not taken for a coincidence.</summary>
    private static readonly TimeSpan LossMemory = TimeSpan.FromMinutes(10);

    /// <summary>The state after a content failed to load on a silo.</summary>
    public static ModelGrainState Take(ModelGrainState state, ModelVersionSource source, string settingsRevision, SiloAddress silo, DateTimeOffset now)
    {
        var others = state.FailedOn.GetValueOrDefault(source.Version, [])
            .RemoveAll(known => known.Silo == silo || !IsOf(known, source.Revision, settingsRevision));
        return state with
        {
            FailedOn = state.FailedOn.SetItem(source.Version, others.Add(new SiloFailure(silo, source.Revision, settingsRevision, now))),
        };
    }

    /// <summary>Silos where what would be loaded now failed.</summary>
    public static ImmutableArray<SiloAddress> Silos(ModelGrainState state, long version)
    {
        return Source(state, version) is not { } source
            ? []
            : [.. state.FailedOn.GetValueOrDefault(version, []).Where(failure => IsOf(failure, source.Revision, state.Registration!.SettingsRevision)).Select(failure => failure.Silo)];
    }

    /// <summary>
    /// The state without failures that are too old to count, and without those that are due for another try. Those of used versions expire sooner, because they need another try more.
    /// After a clock was set back, failures of a later time count as old. Else they would hold loads back for as long.
    /// </summary>
    public static ModelGrainState Forget(ModelGrainState state, DateTimeOffset now, TimeSpan memory, ReplicaOptions options)
    {
        var longest = memory > ReplicaLoader.NoSiloRetry ? memory : ReplicaLoader.NoSiloRetry;
        var due = state.Failed.Where(failed => failed.Value.RetryOn is { } on && (on <= now || on - now > longest)).Select(static failed => failed.Key).ToList();
        state = due.Count == 0 ? state : state with { Failed = state.Failed.RemoveRange(due) };
        foreach (var (version, losses) in state.LostWith)
        {
            var left = losses.RemoveAll(loss => (now - loss.At).Duration() >= LossMemory);
            state = left.Length == losses.Length
                ? state
                : state with { LostWith = left.IsEmpty ? state.LostWith.Remove(version) : state.LostWith.SetItem(version, left) };
        }

        foreach (var (version, stuck) in state.StuckOn)
        {
            var left = stuck.RemoveAll(one => (now - one.At).Duration() >= options.StuckMemory);
            state = left.Length == stuck.Length
                ? state
                : state with { StuckOn = left.IsEmpty ? state.StuckOn.Remove(version) : state.StuckOn.SetItem(version, left) };
        }

        foreach (var (version, failures) in state.FailedOn)
        {
            var isUsed = state.Uses.GetValueOrDefault(version) is { } use && now - use.LastUsed <= options.InUse;
            var left = failures.RemoveAll(failure => (now - failure.At).Duration() >= (isUsed ? memory * options.InUseFailureMemory : memory));
            state = left.Length == failures.Length
                ? state
                : state with { FailedOn = left.IsEmpty ? state.FailedOn.Remove(version) : state.FailedOn.SetItem(version, left) };
        }

        return state;
    }

    /// <summary>
    /// The state after silos were lost. It records a silo that was loading a version, unless that load had begun before the loss of another silo. Silos that are lost
    /// at once are no evidence against the versions that they loaded.
    /// </summary>
    public static ModelGrainState Lose(ModelGrainState state, IReadOnlyCollection<SiloAddress> silos, DateTimeOffset now)
    {
        foreach (var (version, arriving) in state.Arriving)
        {
            var known = Lost(state, version, now);
            var lost = arriving.FirstOrDefault(replica => silos.Contains(replica.Silo) && known.All(loss => loss.NextReplica <= replica.Number));
            if (lost is not null && Source(state, version) is { } source)
            {
                var loss = new LoadLoss(lost.Silo, source.Revision, state.Registration!.SettingsRevision, now, state.NextReplica.GetValueOrDefault(version));
                state = state with { LostWith = state.LostWith.SetItem(version, known.Add(loss)) };
            }
        }

        return state;
    }

    /// <summary>Silos that were lost lately while they loaded what would be loaded now, one after the other.</summary>
    public static ImmutableArray<LoadLoss> Lost(ModelGrainState state, long version, DateTimeOffset now) => Source(state, version) is not { } source
        ? []
        :
        [
            .. state.LostWith.GetValueOrDefault(version, []).Where(loss =>
                loss.Revision == source.Revision && loss.SettingsRevision == state.Registration!.SettingsRevision && (now - loss.At).Duration() < LossMemory),
        ];

    /// <summary>The state after all slots of a replica were found held by runs that do not end.</summary>
    public static ModelGrainState Stick(ModelGrainState state, long version, LoadedVersion loaded, SiloAddress silo, DateTimeOffset now, TimeSpan memory) => state with
    {
        StuckOn = state.StuckOn.SetItem(version, Stuck(state, version, now, memory).Add(new SiloFailure(silo, loaded.Revision, loaded.SettingsRevision, now))),
    };

    /// <summary>When and where that happened lately to what would be loaded now.</summary>
    public static ImmutableArray<SiloFailure> Stuck(ModelGrainState state, long version, DateTimeOffset now, TimeSpan memory) => Source(state, version) is not { } source
        ? []
        : [.. state.StuckOn.GetValueOrDefault(version, []).Where(stuck => IsOf(stuck, source.Revision, state.Registration!.SettingsRevision) && (now - stuck.At).Duration() < memory)];

    private static ModelVersionSource? Source(ModelGrainState state, long version) =>
        state.Registration?.Versions.FirstOrDefault(candidate => candidate.Version == version);

    private static bool IsOf(SiloFailure failure, string revision, string settingsRevision) =>
        failure.Revision == revision && failure.SettingsRevision == settingsRevision;
}
