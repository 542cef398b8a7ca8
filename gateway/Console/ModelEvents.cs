using System.Collections.Immutable;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Console;

/// <summary>What happened to a model between two of its serving states. Pure.</summary>
internal static class ModelEvents
{
    /// <param name="before">Null: the model was not known.</param>
    /// <param name="now">Null: the model is known no more.</param>
    public static IEnumerable<ClusterEvent> Between(ModelServingState? before, ModelServingState? now)
    {
        if (now is null)
        {
            return before is null ? [] : [new ClusterEvent(EventKinds.Removed, "the model is gone") { Model = before.Name }];
        }

        return now.Versions.SelectMany(version =>
            Between(before?.Versions.FirstOrDefault(old => old.Version == version.Version), version)
                .Select(happened => happened with { Model = now.Name, Version = version.Version }));
    }

    private static IEnumerable<ClusterEvent> Between(VersionServingState? old, VersionServingState now)
    {
        var had = old?.Replicas ?? [];
        foreach (var replica in had.Except(now.Replicas))
        {
            yield return End(replica, now);
        }

        foreach (var replica in now.Replicas.Except(had))
        {
            yield return new ClusterEvent(EventKinds.Loaded, $"replica {replica.Number} serves{Because(now.Cause)}") { Silo = replica.Silo.ToParsableString() };
        }

        foreach (var silo in now.FailedOn.Except(old?.FailedOn ?? ImmutableArray<string>.Empty))
        {
            yield return new ClusterEvent(EventKinds.LoadFailed, "a load failed on this silo, which gets it no more for a while") { Silo = silo };
        }

        if (Trouble(now) is { } trouble && (old is null || Trouble(old) != trouble))
        {
            var isQuarantine = trouble.StartsWith(ServingReasons.Quarantined, StringComparison.Ordinal);
            yield return new ClusterEvent(isQuarantine ? EventKinds.Quarantined : EventKinds.LoadFailed, trouble);
        }
        else if (now is { State: ModelVersionState.Unavailable, Failed: false } && old is { State: ModelVersionState.Ready })
        {
            yield return new ClusterEvent(EventKinds.Unavailable, now.Reason.Length > 0 ? now.Reason : "it is served no more");
        }
    }

    private static ClusterEvent End(PlacedReplica replica, VersionServingState now)
    {
        var kind = now.Cause == ServingReasons.SiloLost ? EventKinds.Lost
            : now.Cause.StartsWith(ServingReasons.Evicted, StringComparison.Ordinal) ? EventKinds.Evicted
            : EventKinds.Ended;
        var why = now.Cause.Length > 0 ? now.Cause : now.Reason;
        var text = kind == EventKinds.Evicted ? $"replica {replica.Number} was {why}" : $"replica {replica.Number} serves no more{Because(why)}";
        return new ClusterEvent(kind, text) { Silo = replica.Silo.ToParsableString() };
    }

    /// <summary>Why the content that should serve does not; null where it does.</summary>
    private static string? Trouble(VersionServingState version) =>
        version.Failed || version.Reason.StartsWith(ServingReasons.PreviousContent, StringComparison.Ordinal) ? version.Reason : null;

    private static string Because(string cause) => cause.Length > 0 ? $": {cause}" : "";
}
