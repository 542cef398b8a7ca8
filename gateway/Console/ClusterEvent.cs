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
