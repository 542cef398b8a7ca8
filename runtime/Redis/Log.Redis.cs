using Microsoft.Extensions.Logging;

namespace Cluster.Runtime;

/// <summary>Messages of the connection to Redis: event ids 1200 to 1209.</summary>
internal static partial class Log
{
    [LoggerMessage(1200, LogLevel.Information, "Redis answers, after {Gone} without", EventName = "RedisReachable")]
    public static partial void RedisReachable(ILogger logger, TimeSpan gone);

    [LoggerMessage(1201, LogLevel.Warning, "Redis cannot be reached ({Error}): what is loaded keeps being served, nothing new is placed", EventName = "RedisUnreachable")]
    public static partial void RedisUnreachable(ILogger logger, string? error);

    [LoggerMessage(1202, LogLevel.Error, "Redis refuses an operation: {Error}", EventName = "RedisRefused")]
    public static partial void RedisRefused(ILogger logger, string? error);

    [LoggerMessage(1203, LogLevel.Warning, "Nothing went through the connection to Redis for {Elapsed}, though Redis answers: another takes its place", EventName = "RedisRenewed")]
    public static partial void RedisRenewed(ILogger logger, TimeSpan elapsed);
}
