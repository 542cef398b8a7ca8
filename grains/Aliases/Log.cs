using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Aliases;

/// <summary>Event ids 2180 to 2187; 2210 to 2219 are those of traffic rules.</summary>
internal static partial class Log
{
    [LoggerMessage(2180, LogLevel.Information, "Alias {Alias} is to move from {Active} to {Target}")]
    public static partial void Moves(ILogger logger, string alias, string active, string target);

    [LoggerMessage(2181, LogLevel.Information, "Alias {Alias} is {Active}")]
    public static partial void Moved(ILogger logger, string alias, string active);

    [LoggerMessage(2182, LogLevel.Warning, "Alias {Alias} cannot move to {Target}, {Active} goes on: {Reason}")]
    public static partial void TargetFailed(ILogger logger, string alias, string target, string reason, string active);

    [LoggerMessage(2183, LogLevel.Information, "Alias {Alias} is deleted")]
    public static partial void Deleted(ILogger logger, string alias);

    [LoggerMessage(2184, LogLevel.Error, "Alias {Alias} was not told that {Model} has changed")]
    public static partial void ReviewFailed(ILogger logger, Exception exception, string alias, string model);

    [LoggerMessage(2185, LogLevel.Debug, "Alias {Alias} is looked after at the next look: {Reason}")]
    public static partial void ReviewWaits(ILogger logger, string alias, string reason);

    [LoggerMessage(2186, LogLevel.Error, "Alias {Alias} could not have {Target} loaded")]
    public static partial void LoadFailed(ILogger logger, Exception exception, string alias, string target);

    [LoggerMessage(2187, LogLevel.Warning, "Alias {Alias} could not keep what became of loading {Target}, and tries again: {Reason}")]
    public static partial void NotReviewed(ILogger logger, string alias, string target, string reason);

    [LoggerMessage(2210, LogLevel.Information, "Alias {Alias} has a rule whose candidate {Candidate} is to be loaded")]
    public static partial void CandidateAwaited(ILogger logger, string alias, string candidate);

    [LoggerMessage(2211, LogLevel.Information, "Alias {Alias}: {Percent} % of its requests are {Way} candidate {Candidate}")]
    public static partial void TrafficBegun(ILogger logger, string alias, double percent, string way, string candidate);

    [LoggerMessage(2212, LogLevel.Warning, "Alias {Alias} gives candidate {Candidate} nothing, it does not load: {Reason}")]
    public static partial void CandidateFailed(ILogger logger, string alias, string candidate, string reason);

    [LoggerMessage(2213, LogLevel.Warning, "Alias {Alias} rolled candidate {Candidate} back, by gateway {Gateway}: {Reason}")]
    public static partial void TrafficRolledBack(ILogger logger, string alias, string candidate, string gateway, string reason);

    [LoggerMessage(2214, LogLevel.Information, "Alias {Alias} has no rule for candidate {Candidate} any more")]
    public static partial void TrafficEnded(ILogger logger, string alias, string candidate);
}
