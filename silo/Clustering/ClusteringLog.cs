using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Clustering;

/// <summary>Messages of what is around Orleans: event ids 1250 to 1259.</summary>
internal static partial class ClusteringLog
{
    [LoggerMessage(1250, LogLevel.Error, "This silo cannot go on and starts again: {Reason}", EventName = "SiloRemoved")]
    public static partial void Removed(ILogger logger, Exception? exception, string reason);
}
