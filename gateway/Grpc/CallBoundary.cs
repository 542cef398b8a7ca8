using System.Globalization;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Status = Grpc.Core.Status;

namespace Cluster.Gateway.Grpc;

/// <summary>Between gRPC's calls and ours: a call's remaining time, and the status for an exception.</summary>
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

    // The library answers a deadline before it fires the token. A write in between fails too.
    private bool IsOver(ServerCallContext call) => call.CancellationToken.IsCancellationRequested || Remaining(call) == TimeSpan.Zero;
}

/// <summary>Event ids 3000 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Error, "Handler of {Method} failed unexpectedly, and {HeldBack} times so since the last line")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string method, long heldBack);
}

/// <summary>
/// A <see cref="Failure"/> as gRPC tells it: status and message, and for a retry hint the trailer <c>grpc-retry-pushback-ms</c> and a
/// <c>google.rpc.RetryInfo</c> in <c>grpc-status-details-bin</c>.
/// </summary>
internal static class GrpcFailures
{
    private const string ContentType = "application/grpc";
    private const string Pushback = "grpc-retry-pushback-ms";

    // Clients bound the header block (8 KiB in grpc-core) and drop a call that exceeds it; encoding may triple each byte.
    private const int MaxMessageLength = 1024;

    public static RpcException ToRpcException(this Failure failure)
    {
        var trailers = new Metadata();
        AddRetryHint(trailers, failure);
        return new RpcException(StatusOf(failure), trailers);
    }

    /// <summary>Sets the outcome of a call whose handler returns without an exception.</summary>
    public static void End(this ServerCallContext call, Failure failure)
    {
        call.Status = StatusOf(failure);
        if (failure.RetryAfter is not null)
        {
            AddRetryHint(call.ResponseTrailers, failure);
        }
    }

    /// <summary>Whether a request is a gRPC call, gRPC-Web included, by its content type.</summary>
    public static bool IsGrpc(this HttpContext http) => http.Request.ContentType?.StartsWith(ContentType, StringComparison.Ordinal) == true;

    /// <summary>Answers a request that reaches no handler: headers alone, as the library does for a method that is not there.</summary>
    public static Task WriteAsync(this Failure failure, HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.ContentType = ContentType;
        headers["grpc-status"] = ((int)failure.Code).ToString(CultureInfo.InvariantCulture);
        headers["grpc-message"] = Escape(Shorten(failure.Message));
        var hints = new Metadata();
        AddRetryHint(hints, failure);
        foreach (var hint in hints)
        {
            headers[hint.Key] = hint.IsBinary ? Convert.ToBase64String(hint.ValueBytes) : hint.Value;
        }

        return http.Response.CompleteAsync();
    }

    /// <summary>As gRPC has it: bytes of UTF-8 beyond printable ASCII, and the percent sign, as <c>%XX</c>.</summary>
    private static string Escape(string message) => string.Concat(
        Encoding.UTF8.GetBytes(message).Select(static letter => letter is < 0x20 or > 0x7e or (byte)'%' ? $"%{letter:X2}" : ((char)letter).ToString()));

    private static Status StatusOf(Failure failure) => new((global::Grpc.Core.StatusCode)failure.Code, Shorten(failure.Message));

    private static void AddRetryHint(Metadata trailers, Failure failure)
    {
        if (failure.RetryAfter is not { } delay)
        {
            return;
        }

        trailers.Add(Pushback, Math.Max(0, (long)Math.Ceiling(delay.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture));
        trailers.SetRpcStatus(new Google.Rpc.Status
        {
            Code = (int)failure.Code,
            Message = Shorten(failure.Message),
            Details = { Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) }) },
        });
    }

    private static string Shorten(string message)
    {
        if (message.Length <= MaxMessageLength)
        {
            return message;
        }

        var cut = char.IsHighSurrogate(message[MaxMessageLength - 1]) ? MaxMessageLength - 1 : MaxMessageLength;
        return string.Concat(message.AsSpan(0, cut), "…");
    }
}
