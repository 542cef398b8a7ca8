using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Grpc;

/// <summary>Event ids 3000 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Error, "Handler of {Method} failed unexpectedly")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string method);

    [LoggerMessage(3001, LogLevel.Debug, "Call of {Method} cancelled: {Cause}")]
    public static partial void CallCancelled(ILogger logger, string method, CancellationCause cause);

    [LoggerMessage(3002, LogLevel.Error, "Ending {Method} at its deadline failed")]
    public static partial void DeadlineAnswerFailed(ILogger logger, Exception exception, string method);

    [LoggerMessage(3003, LogLevel.Debug, "Request to {Path} refused as not gRPC: HTTP {Status}")]
    public static partial void NotGrpc(ILogger logger, string path, int status);
}
