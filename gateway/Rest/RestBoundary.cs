using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Cluster.Gateway.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Rest;

/// <summary>The edge where any exception of a handler becomes an HTTP answer.</summary>
internal sealed class RestBoundary(TimeProvider time, ILogger<RestBoundary> logger)
{
    private readonly CauseLimiter _errors = new(time);

    public RequestDelegate Around(RequestDelegate handler) => context => RunAsync(handler, context);

    private async Task RunAsync(RequestDelegate handler, HttpContext context)
    {
        var place = context.Features.Get<ConnectionPlace>();
        place?.Begin();
        try
        {
            await handler(context);
        }
        catch (ServingException e) when (!context.Response.HasStarted)
        {
            await RefuseAsync(context, e.Failure);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            Log.RequestRefused(logger, context.Request.Method, context.Request.Path, e.StatusCode, e.Message);
            await RestErrors.WriteAsync(context, e.StatusCode, RestErrors.MessageOf(e));
        }
        catch (IOException e) when (e.InnerException is OverflowException && !context.Response.HasStarted)
        {
            // The web server's own for a chunk whose length is beyond its numbers.
            await RestErrors.WriteAsync(context, StatusCodes.Status400BadRequest, "the length of a chunk is beyond what can be");
        }
        catch (Exception e) when (IsOfTheClient(context, e))
        {
            Log.RequestAborted(logger, context.Request.Method, context.Request.Path);
            SetStatus(context, StatusCodes.Status499ClientClosedRequest);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailure(context, e);
            await RestErrors.WriteAsync(context, Failure.Internal("internal error"));
        }
        catch (Exception e)
        {
            // A client must not take half an answer for a whole one.
            LogFailure(context, e);
            context.Abort();
        }
        finally
        {
            place?.End();
        }
    }

    /// <summary>Of each kind of exception and each state of the answer once a minute.</summary>
    private void LogFailure(HttpContext context, Exception exception)
    {
        var begun = context.Response.HasStarted;
        if (!_errors.TryPass($"{exception.GetType().Name} {begun}", out var heldBack))
        {
            return;
        }

        if (begun)
        {
            Log.ResponseBroken(logger, context.Request.Method, context.Request.Path, heldBack, exception);
        }
        else
        {
            Log.RequestFailed(logger, context.Request.Method, context.Request.Path, heldBack, exception);
        }
    }

    private Task RefuseAsync(HttpContext context, Failure failure)
    {
        Log.RequestRefused(logger, context.Request.Method, context.Request.Path, RestErrors.StatusOf(failure), failure.Message);
        return RestErrors.WriteAsync(context, failure);
    }

    /// <summary>Whether the client has gone. A read may tell so before the request's token does.</summary>
    private static bool IsOfTheClient(HttpContext context, Exception exception) =>
        exception is ConnectionResetException or TaskCanceledException { InnerException: ConnectionAbortedException } ||
        (context.RequestAborted.IsCancellationRequested && exception is OperationCanceledException or IOException);

    private static void SetStatus(HttpContext context, int status)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = status;
        }
    }
}

/// <summary>What failures look like over HTTP: a status, <c>{"error":"…"}</c>, and when to try again.</summary>
internal static class RestErrors
{
    /// <summary>Used where the failure itself does not say how long to wait.</summary>
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The HTTP status of a failure. RESOURCE_EXHAUSTED is a message too large (413) unless it says when to try again (429); FAILED_PRECONDITION a wrong request (400) unless
    /// it does (503).
    /// </summary>
    public static int StatusOf(Failure failure) => failure.Code switch
    {
        StatusCode.FailedPrecondition when failure.RetryAfter is not null => StatusCodes.Status503ServiceUnavailable,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => StatusCodes.Status400BadRequest,
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.AlreadyExists or StatusCode.Aborted => StatusCodes.Status409Conflict,
        StatusCode.ResourceExhausted when failure.RetryAfter is null => StatusCodes.Status413PayloadTooLarge,
        StatusCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
        StatusCode.Cancelled => StatusCodes.Status499ClientClosedRequest,
        StatusCode.Unimplemented => StatusCodes.Status501NotImplemented,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        StatusCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>The answer for a client. The web server's own exceptions have a type of their own, and keep their status.</summary>
    public static string MessageOf(BadHttpRequestException exception) =>
        exception.GetType() == typeof(BadHttpRequestException) ? exception.Message : exception.StatusCode switch
        {
            StatusCodes.Status408RequestTimeout => "the request's body came too slowly",
            StatusCodes.Status413PayloadTooLarge => "the request's body is larger than this server takes",
            _ => "the request's body is not framed as HTTP has it: a chunk, its trailer or the length is wrong, or it ended early",
        };

    public static Task WriteAsync(HttpContext context, Failure failure)
    {
        var status = StatusOf(failure);
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            var wait = failure.RetryAfter ?? DefaultRetryAfter;
            var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return WriteAsync(context, status, failure.Message);
    }

    public static Task WriteAsync(HttpContext context, int status, string message) =>
        JsonAnswer.WriteAsync(context, status, new ErrorAnswer(message));
}

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
