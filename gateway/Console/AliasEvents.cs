using System.Globalization;
using Cluster.Contracts.Registry;

namespace Cluster.Gateway.Console;

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
