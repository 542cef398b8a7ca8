using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Grpc;

/// <summary>Between gRPC's calls and ours: a call's time left, and what its client is told of an exception.</summary>
internal sealed class CallBoundary(TimeProvider time, ILogger<CallBoundary> logger)
{
    private readonly CauseLimiter _errors = new(time);

    /// <summary>Time until the call's deadline, zero once it passed; null without a deadline.</summary>
    public TimeSpan? Remaining(ServerCallContext call)
    {
        if (call.Deadline == DateTime.MaxValue)
        {
            return null;
        }

        var left = call.Deadline - time.GetUtcNow().UtcDateTime;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>
    /// The exception with which a handler ends its call: failures as they are, INTERNAL and an Error in the log for what is unexpected. An exception
    /// of a call that is over passes unchanged, since its client is gone or has its answer.
    /// </summary>
    public Exception Translate(ServerCallContext call, Exception exception)
    {
        switch (exception)
        {
            case RpcException:
                return exception;
            case ServingException serving:
                return serving.Failure.ToRpcException();
            case OperationCanceledException or IOException or InvalidOperationException when IsOver(call):
                return new OperationCanceledException($"{call.Method} ended before its answer was written", exception);
            default:
                if (_errors.TryPass($"{call.Method} {exception.GetType().Name}", out var heldBack))
                {
                    Log.HandlerFailed(logger, exception, call.Method, heldBack);
                }

                return Failure.Internal("internal error").ToRpcException();
        }
    }

    // The library answers a deadline before it fires the token; what is written in between fails too.
    private bool IsOver(ServerCallContext call) => call.CancellationToken.IsCancellationRequested || Remaining(call) == TimeSpan.Zero;
}

/// <summary>Event ids 3000 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Error, "Handler of {Method} failed unexpectedly, and {HeldBack} times so since the last line")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string method, long heldBack);
}
