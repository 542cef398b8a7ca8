using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>Where a content failed to load, and for how long that counts. Pure.</summary>
internal static class FailurePlan
{
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
        var source = state.Registration?.Versions.FirstOrDefault(candidate => candidate.Version == version);
        return source is null
            ? []
            : [.. state.FailedOn.GetValueOrDefault(version, []).Where(failure => IsOf(failure, source.Revision, state.Registration!.SettingsRevision)).Select(failure => failure.Silo)];
    }

    /// <summary>The state without what is too long ago to count; shorter for what is used, which has more need of another try.</summary>
    public static ModelGrainState Forget(ModelGrainState state, DateTimeOffset now, TimeSpan memory, ReplicaOptions options)
    {
        foreach (var (version, failures) in state.FailedOn)
        {
            var isUsed = state.Uses.GetValueOrDefault(version) is { } use && now - use.LastUsed <= options.InUse;
            var left = failures.RemoveAll(failure => now - failure.At >= (isUsed ? memory * options.InUseFailureMemory : memory));
            state = left.Length == failures.Length
                ? state
                : state with { FailedOn = left.IsEmpty ? state.FailedOn.Remove(version) : state.FailedOn.SetItem(version, left) };
        }

        return state;
    }

    private static bool IsOf(SiloFailure failure, string revision, string settingsRevision) =>
        failure.Revision == revision && failure.SettingsRevision == settingsRevision;
}
