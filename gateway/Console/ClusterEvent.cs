using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Console;

/// <summary>Something that happened in the cluster, as this gateway saw it.</summary>
/// <param name="Kind">One of <see cref="EventKinds"/>.</param>
/// <param name="Text">What happened and why, for people.</param>
internal sealed record ClusterEvent(string Kind, string Text)
{
    /// <summary>Of this gateway's events, one more than the one before; given by <see cref="Timeline.Add"/>.</summary>
    public long Number { get; init; }

    public DateTimeOffset Time { get; init; }

    /// <summary>The model that the event is about, null for none. Callers that may not read the model do not get the event.</summary>
    public string? Model { get; init; }

    /// <summary>The alias with the rule that names the model, null for none. Callers that may not see the alias do not get the event either.</summary>
    public string? Alias { get; init; }

    public long? Version { get; init; }

    /// <summary>In the parsable form of its address.</summary>
    public string? Silo { get; init; }

    /// <summary>How long what happened took.</summary>
    public long? Milliseconds { get; init; }
}

/// <summary>What can happen.</summary>
internal static class EventKinds
{
    public const string Loaded = "loaded";
    public const string Ended = "ended";
    public const string Evicted = "evicted";
    public const string Lost = "lost";
    public const string FailedOver = "failed_over";
    public const string LoadFailed = "load_failed";
    public const string Quarantined = "quarantined";
    public const string Unavailable = "unavailable";
    public const string Removed = "removed";
    public const string TrafficBegun = "traffic_begun";
    public const string TrafficEnded = "traffic_ended";
    public const string RolledBack = "rolled_back";
    public const string SiloJoined = "silo_joined";
    public const string SiloDraining = "silo_draining";
    public const string SiloUndrained = "silo_undrained";
    public const string SiloDisagrees = "silo_disagrees";
    public const string SiloLeft = "silo_left";
    public const string SiloDied = "silo_died";
    public const string StoreAway = "store_away";
    public const string StoreBack = "store_back";
}

/// <summary>What happened to an alias's traffic rule between two of its states. Pure.</summary>
internal static class AliasEvents
{
    /// <param name="before">Null: the alias was not known, or had none.</param>
    /// <param name="now">Null: the alias is known no more, or has none.</param>
    public static ClusterEvent? Between(string alias, TrafficState? before, TrafficState? now)
    {
        var isAnother = before?.Revision != now?.Revision;
        if (now is null)
        {
            return before is null ? null : Of(alias, before.Rule, EventKinds.TrafficEnded, $"alias '{alias}' has no rule for this model any more");
        }

        if (now.RolledBack is { } rollback)
        {
            return isAnother || before?.RolledBack is null
                ? Of(alias, now.Rule, EventKinds.RolledBack, $"alias '{alias}' rolled this model back, by gateway {rollback.By}: {rollback.Reason}")
                : null;
        }

        return now.IsOn && (isAnother || before?.IsOn != true)
            ? Of(alias, now.Rule, EventKinds.TrafficBegun, string.Create(
                CultureInfo.InvariantCulture,
                $"{now.Rule.Percent} % of the requests for alias '{alias}' are {(now.Rule.Shadow ? "copied to this model, and the answers compared" : "answered by this model")}"))
            : null;
    }

    private static ClusterEvent Of(string alias, TrafficRule rule, string kind, string text) =>
        new(kind, text) { Alias = alias, Model = rule.Candidate, Version = rule.CandidateVersion };
}

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

/// <summary>What happened to the silos between two looks at them. Pure.</summary>
internal static class SiloEvents
{
    private const string Dead = nameof(SiloStatus.Dead);

    public static IEnumerable<ClusterEvent> Between(ImmutableArray<NodeDescription> before, ImmutableArray<NodeDescription> now)
    {
        foreach (var node in now)
        {
            var old = before.FirstOrDefault(known => known.Silo == node.Silo);
            foreach (var happened in Between(old, node))
            {
                yield return happened with { Silo = node.Silo };
            }
        }

        foreach (var gone in before.Where(known => known.Status != Dead && !now.Any(node => node.Silo == known.Silo)))
        {
            yield return End(gone) with { Silo = gone.Silo };
        }
    }

    private static IEnumerable<ClusterEvent> Between(NodeDescription? old, NodeDescription now)
    {
        if (now.Status == Dead)
        {
            if (old is not null && old.Status != Dead)
            {
                yield return End(old);
            }

            yield break;
        }

        if (IsActive(now) && (old is null || !IsActive(old)) && !Leaves(now))
        {
            yield return new ClusterEvent(EventKinds.SiloJoined, $"silo {now.Name} joined");
        }

        if (Leaves(now) && (old is null || !Leaves(old)))
        {
            yield return new ClusterEvent(EventKinds.SiloDraining, $"silo {now.Name} drains: its replicas move to others");
        }

        if (IsActive(now) && !Leaves(now) && old is { Draining: true })
        {
            yield return new ClusterEvent(EventKinds.SiloUndrained, $"silo {now.Name} takes replicas again");
        }

        if (now.Disagrees && old is not { Disagrees: true })
        {
            yield return new ClusterEvent(EventKinds.SiloDisagrees, $"silo {now.Name} has another model repository than the others: nothing new is placed there");
        }
    }

    private static ClusterEvent End(NodeDescription silo) => Leaves(silo)
        ? new ClusterEvent(EventKinds.SiloLeft, $"silo {silo.Name} has left")
        : new ClusterEvent(EventKinds.SiloDied, $"silo {silo.Name} died: it ended without a word");

    private static bool IsActive(NodeDescription silo) => silo.Status == nameof(SiloStatus.Active);

    private static bool Leaves(NodeDescription silo) => silo.Draining || silo.Status is nameof(SiloStatus.ShuttingDown) or nameof(SiloStatus.Stopping);
}
