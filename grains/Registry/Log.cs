using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry;

/// <summary>Event ids 2140 to 2149.</summary>
internal static partial class Log
{
    [LoggerMessage(2140, LogLevel.Information, "Registered {Model}: type {Type}, path {Path}")]
    public static partial void Registered(ILogger logger, string model, string type, string path);

    [LoggerMessage(2141, LogLevel.Information, "Unregistered {Model}: {Reason}")]
    public static partial void Unregistered(ILogger logger, string model, string reason);

    [LoggerMessage(2142, LogLevel.Warning, "Could not serve {Model} as it was registered: {Reason}")]
    public static partial void HandOverFailed(ILogger logger, string model, string reason);

    [LoggerMessage(2143, LogLevel.Error, "Shard {Shard} of the model registry was not restored")]
    public static partial void RestoreFailed(ILogger logger, Exception exception, string shard);

    [LoggerMessage(2144, LogLevel.Error, "Could not read entry {Key} of map {Map}, which counts as missing")]
    public static partial void UnreadableEntry(ILogger logger, Exception exception, string key, string map);
}
