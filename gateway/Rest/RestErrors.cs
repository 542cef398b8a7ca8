using System.Globalization;
using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

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
