using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Aliases;

/// <summary>What becomes of an alias's traffic rule. Pure.</summary>
internal static class TrafficPlan
{
    /// <summary>Why an alias takes no rule, or no such rule; null if it does.</summary>
    /// <param name="now">Null where there is no such alias.</param>
    /// <param name="rule">Null to end the one that there is.</param>
    public static Failure? Refusal(string alias, AliasState? now, TrafficRule? rule)
    {
        if (now is null)
        {
            return Failure.NotFound($"alias '{alias}' is not found");
        }

        if (rule is null)
        {
            return null;
        }

        if (TrafficRules.ProblemOf(rule) is { } problem)
        {
            return Failure.InvalidArgument($"alias '{alias}': {problem}");
        }

        if (now.InTransition)
        {
            return new Failure(StatusCode.FailedPrecondition, $"alias '{alias}' is on its way from '{now.Active}' to '{now.Target}', expected one that has moved");
        }

        if (rule.Candidate != now.Active)
        {
            return null;
        }

        return rule.CandidateVersion is null || rule.ActiveVersion is null || rule.CandidateVersion == rule.ActiveVersion
            ? Failure.InvalidArgument($"alias '{alias}': candidate '{rule.Candidate}' is its model, expected another model, or candidate_version and active_version that differ")
            : null;
    }

    /// <summary>The alias with a rule that is not refused.</summary>
    public static AliasState Next(AliasState now, TrafficRule rule, long revision, IServingStates states) =>
        Review(now with { Traffic = new TrafficState(rule, revision) }, states);

    /// <summary>Begins the candidate's share once the candidate answers requests.</summary>
    public static AliasState Review(AliasState now, IServingStates states) =>
        now.Traffic is { IsWaiting: true } waiting && Answers(waiting.Rule, states) ? now with { Traffic = waiting with { Loaded = true, Failure = null } } : now;

    /// <summary>The alias without the candidate's share; as it is where another rule is meant, or where that has ended.</summary>
    public static AliasState RollBack(AliasState now, TrafficVerdict verdict, DateTimeOffset time) =>
        now.Traffic is { RolledBack: null } traffic && traffic.Revision == verdict.Revision
            ? now with { Traffic = traffic with { RolledBack = new TrafficRollback(verdict.Cause, verdict.Reason, verdict.By, time) } }
            : now;

    /// <summary>Why a model that has loaded does not answer for a rule; null if it does, or may in a moment.</summary>
    public static string? Lacks(TrafficRule rule, IServingStates states) =>
        rule.CandidateVersion is { } version && !Answers(rule, states)
            ? string.Create(CultureInfo.InvariantCulture, $"model '{rule.Candidate}' serves no version {version}")
            : null;

    private static bool Answers(TrafficRule rule, IServingStates states) =>
        states.TryGet(rule.Candidate, out var state)
        && state.Versions.Any(version => version.State == ModelVersionState.Ready && (rule.CandidateVersion is null || version.Version == rule.CandidateVersion));
}
