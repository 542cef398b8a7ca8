using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>Messages of scripts in Redis: event ids 1200 to 1209; 1200, 1201 and 1203 are retired. Messages of replicated maps: 1260 to 1279.</summary>
internal static partial class Log
{
    [LoggerMessage(1202, LogLevel.Error, "Redis refused an operation, and {HeldBack} so since the last line: {Error}", EventName = "RedisRefused")]
    public static partial void RedisRefused(ILogger logger, string error, long heldBack);

    [LoggerMessage(1260, LogLevel.Information, "The replica of map '{Map}' is complete: {Count} entries in {Elapsed}", EventName = "ReplicaLoaded")]
    public static partial void ReplicaLoaded(ILogger logger, string map, int count, TimeSpan elapsed);

    [LoggerMessage(1261, LogLevel.Warning, "Redis was restarted: of map '{Map}' this process put back {Missing} of {Count} entries", EventName = "ReplicaPutsBack")]
    public static partial void ReplicaPutsBack(ILogger logger, string map, int missing, int count);

    [LoggerMessage(1262, LogLevel.Debug, "Another process published '{Key}' of map '{Map}' later than this one", EventName = "PublishOvertaken")]
    public static partial void PublishOvertaken(ILogger logger, string key, string map);

    [LoggerMessage(1263, LogLevel.Error, "The {Loop} loop of map '{Map}' failed; it goes on", EventName = "ReplicationLoopFailed")]
    public static partial void ReplicationLoopFailed(ILogger logger, string map, string loop, Exception exception);

    [LoggerMessage(1264, LogLevel.Error, "A listener to map '{Map}' failed at key '{Key}'", EventName = "ReplicaListenerFailed")]
    public static partial void ReplicaListenerFailed(ILogger logger, string map, string key, Exception exception);

    [LoggerMessage(1265, LogLevel.Warning, "{Count} entries of map '{Map}' were not published before the stop", EventName = "ReplicaUnsent")]
    public static partial void ReplicaUnsent(ILogger logger, int count, string map);
}
