using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Traffic;

/// <summary>Event ids 3280 to 3299.</summary>
internal static partial class Log
{
    [LoggerMessage(3280, LogLevel.Warning, "Ended the share of candidate {Candidate} of alias {Alias} here, and asked the alias to end it: {Reason}")]
    public static partial void Judged(ILogger logger, string alias, string candidate, string reason);

    [LoggerMessage(3281, LogLevel.Warning, "Alias {Alias} could not be asked to end its candidate's share, and is asked again; and {HeldBack} times so since the last line")]
    public static partial void NotRolledBack(ILogger logger, Exception exception, string alias, long heldBack);

    [LoggerMessage(3282, LogLevel.Error, "A copy of a request for alias {Alias} failed; and {HeldBack} times so since the last line")]
    public static partial void MirrorFailed(ILogger logger, Exception exception, string alias, long heldBack);
}
