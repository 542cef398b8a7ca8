using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Aliases;

/// <summary>Event ids 2180 to 2189.</summary>
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
}
