namespace Cluster.Contracts.Serving;

/// <summary>Reasons for a version not to serve that are a client's or operator's wish, not trouble.</summary>
public static class ServingReasons
{
    public const string Unloaded = "unloaded on request";

    public const string NotChosen = "not chosen by the version policy";

    /// <summary>Registered, and loaded at its first request.</summary>
    public const string NotYetUsed = "registered; its first request loads it";

    public const string OnDemand = "not in memory now; its next request loads it";

    /// <summary>How the reason of a version begins whose files come from object storage; a percentage follows.</summary>
    public const string Downloading = "downloading ";

    /// <summary>How the cause of an evicted replica begins.</summary>
    public const string Evicted = "evicted ";

    /// <summary>The cause where a silo that held a replica is no member any more.</summary>
    public const string SiloLost = "its silo was lost";

    /// <summary>The cause where runs that do not end had all slots of a replica.</summary>
    public const string Stuck = "its runs do not end";

    /// <summary>How the reason of a quarantined version begins.</summary>
    public const string Quarantined = "quarantined";

    /// <summary>How the reason begins where new content does not load and the previous one serves.</summary>
    public const string PreviousContent = "serves its previous content";

    /// <summary>Before the reason why OpenVINO does not run a model that may run anywhere.</summary>
    public const string OnCpu = "runs on the CPU provider: ";

    /// <summary>Whether a version with this reason is as it should be.</summary>
    public static bool IsIntended(string reason) => reason is "" or Unloaded or NotChosen or NotYetUsed or OnDemand || reason.StartsWith(OnCpu, StringComparison.Ordinal) || reason.StartsWith(Downloading, StringComparison.Ordinal);
}
