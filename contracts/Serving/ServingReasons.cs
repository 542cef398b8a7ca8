namespace Cluster.Contracts.Serving;

/// <summary>Reasons for a version not to serve that are a client's or operator's wish, not trouble.</summary>
public static class ServingReasons
{
    public const string Unloaded = "unloaded on request";

    public const string NotChosen = "not chosen by the version policy";

    /// <summary>Registered, and loaded at its first request.</summary>
    public const string NotYetUsed = "registered; its first request loads it";

    public const string OnDemand = "not in memory now; its next request loads it";

    /// <summary>Before the reason why OpenVINO does not run a model that may run anywhere.</summary>
    public const string OnCpu = "runs on the CPU provider: ";

    /// <summary>Whether a version with this reason is as it should be.</summary>
    public static bool IsIntended(string reason) => reason is "" or Unloaded or NotChosen or NotYetUsed or OnDemand || reason.StartsWith(OnCpu, StringComparison.Ordinal);
}
