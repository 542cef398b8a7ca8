using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Serving;

/// <summary>Event ids 3220 to 3239.</summary>
internal static partial class Log
{
    [LoggerMessage(3220, LogLevel.Warning, "Did not tell {Model} that a request for version {Version} took down two silos: {Reason}")]
    public static partial void NotAccused(ILogger logger, string model, long version, string reason);
}
