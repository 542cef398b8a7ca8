using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Clustering;

/// <summary>Messages of what is around Orleans: event ids 1250 to 1259.</summary>
internal static partial class ClusteringLog
{
    [LoggerMessage(1250, LogLevel.Error, "This silo cannot go on and starts again: {Reason}", EventName = "SiloRemoved")]
    public static partial void Removed(ILogger logger, Exception? exception, string reason);

    [LoggerMessage(1252, LogLevel.Warning, "{Silo} has not said for long that it lives, and nobody listens there: this silo, which joins, declares it dead", EventName = "DeclaresLost")]
    public static partial void DeclaresLost(ILogger logger, SiloAddress silo);

    [LoggerMessage(1253, LogLevel.Debug, "Silos that were lost could not be looked for: {Error}", EventName = "NotCleaned")]
    public static partial void NotCleaned(ILogger logger, string error);
}
