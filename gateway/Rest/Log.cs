using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Rest;

/// <summary>Events 3100 to 3199.</summary>
internal static partial class Log
{
    [LoggerMessage(3100, LogLevel.Error, "{Method} {Path} failed for a reason of ours, and {HeldBack} requests so since the last line")]
    public static partial void RequestFailed(ILogger logger, string method, string path, long heldBack, Exception exception);

    [LoggerMessage(3101, LogLevel.Debug, "{Method} {Path} was answered {Status}: {Error}")]
    public static partial void RequestRefused(ILogger logger, string method, string path, int status, string error);

    [LoggerMessage(3102, LogLevel.Debug, "{Method} {Path} was given up by its client")]
    public static partial void RequestAborted(ILogger logger, string method, string path);

    [LoggerMessage(3103, LogLevel.Warning, "{Method} {Path} broke off after its answer had begun, and {HeldBack} requests so since the last line")]
    public static partial void ResponseBroken(ILogger logger, string method, string path, long heldBack, Exception exception);
}
