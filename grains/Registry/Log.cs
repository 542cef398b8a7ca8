using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry;

/// <summary>Event ids 2140 to 2149.</summary>
internal static partial class Log
{
    [LoggerMessage(2140, LogLevel.Information, "Registered {Model}: type {Type}, path {Path}")]
    public static partial void Registered(ILogger logger, string model, string type, string path);

    [LoggerMessage(2141, LogLevel.Information, "{Model} is registered no more: {Reason}")]
    public static partial void Unregistered(ILogger logger, string model, string reason);

    [LoggerMessage(2142, LogLevel.Warning, "Serving {Model} as it was registered is not possible now: {Reason}")]
    public static partial void HandOverFailed(ILogger logger, string model, string reason);

    [LoggerMessage(2143, LogLevel.Error, "Shard {Shard} of the model registry was not restored")]
    public static partial void RestoreFailed(ILogger logger, Exception exception, string shard);

    [LoggerMessage(2144, LogLevel.Error, "The entry {Key} of map {Map} cannot be read and counts as missing")]
    public static partial void UnreadableEntry(ILogger logger, Exception exception, string key, string map);
}
