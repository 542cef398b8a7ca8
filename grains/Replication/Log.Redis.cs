using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>Messages of scripts in Redis: event ids 1200 to 1209; 1200, 1201 and 1203 are retired.</summary>
internal static partial class Log
{
    [LoggerMessage(1202, LogLevel.Error, "Redis refused an operation, and {HeldBack} so since the last line: {Error}", EventName = "RedisRefused")]
    public static partial void RedisRefused(ILogger logger, string error, long heldBack);
}
