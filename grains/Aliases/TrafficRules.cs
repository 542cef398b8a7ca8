using System.Globalization;
using Cluster.Contracts.Registry;
using Cluster.Grains.Repository;

namespace Cluster.Grains.Aliases;

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
