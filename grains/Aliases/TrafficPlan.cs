using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Repository;

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

/// <summary>What a traffic rule may say. Nothing here looks at a model.</summary>
internal static class TrafficRules
{
    private const int MaxHeaderLength = 64;
    private const int MaxRequests = 1_000_000;

    /// <summary>Far beyond what measurements vary by.</summary>
    private const double MaxRatio = 1000;

    private static readonly TimeSpan MinWindow = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxWindow = TimeSpan.FromDays(1);

    /// <summary>The first thing that is wrong, with what would be right; null for nothing.</summary>
    public static string? ProblemOf(TrafficRule rule)
    {
        var limits = rule.Limits;
        return ModelName.ProblemOf(rule.Candidate, "candidate's")
            ?? Version("candidate_version", rule.CandidateVersion)
            ?? Version("active_version", rule.ActiveVersion)
            ?? Percent(rule.Percent)
            ?? Header(rule.StickyHeader)
            ?? Between("absolute_tolerance", rule.AbsoluteTolerance, 0, double.MaxValue)
            ?? Between("relative_tolerance", rule.RelativeTolerance, 0, double.MaxValue)
            ?? Between("max_error_rate", limits.ErrorRate, 0, 1)
            ?? Ratio("max_p99_ratio", limits.P99Ratio)
            ?? Ratio("max_mean_ratio", limits.MeanRatio)
            ?? Between("max_drift", limits.Drift, 0, 1)
            ?? (limits.Drift is not null && !rule.Shadow ? "max_drift is given without shadow, and only answers to copies are compared" : null)
            ?? Between("min_requests", limits.MinRequests, 1, MaxRequests)
            ?? Between("window_seconds", limits.Window.TotalSeconds, MinWindow.TotalSeconds, MaxWindow.TotalSeconds);
    }

    private static string? Version(string name, long? version) =>
        version < 1 ? string.Create(CultureInfo.InvariantCulture, $"{name} is {version}, expected a version, at least 1") : null;

    private static string? Percent(double percent) =>
        Between("percent", percent, 0, 100)
        ?? (Math.Abs((percent * 10) - Math.Round(percent * 10)) > 1e-6 ? string.Create(CultureInfo.InvariantCulture, $"percent is {percent}, expected steps of 0.1") : null);

    private static string? Header(string? name) => name switch
    {
        null => null,
        "" => "sticky_header is empty, expected the name of a header",
        { Length: > MaxHeaderLength } => $"sticky_header is longer than {MaxHeaderLength} characters",
        _ => name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') ? null : "sticky_header has other characters than letters, digits, '-', '_' and '.'",
    };

    private static string? Ratio(string name, double? value) => value is <= 0 or double.NaN ? Wrong(name, value, $"above 0, up to {MaxRatio}") : Between(name, value, 0, MaxRatio);

    private static string? Between(string name, double? value, double least, double most) =>
        value is null || (value >= least && value <= most)
            ? null
            : Wrong(name, value, most == double.MaxValue ? string.Create(CultureInfo.InvariantCulture, $"at least {least}") : string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"));

    private static string Wrong(string name, double? value, string expected) => string.Create(CultureInfo.InvariantCulture, $"{name} is {value}, expected {expected}");
}
