using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Security.Audit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Security;

/// <summary>
/// Refuses requests that a page of another site has a browser send. The browser adds its certificate, or reaches a server on loopback, where the page itself could not.
/// Browsers say where a request is from, and pages cannot change that. Programs do not say it.
/// </summary>
internal sealed class OtherSites(AuditLog audit, TimeProvider time, ILogger<OtherSites> logger)
{
    private static readonly Failure Refusal =
        new(StatusCode.PermissionDenied, "a page of another site asked for this; expected a page of this server, or a program");

    private readonly CauseLimiter _refusals = new(time);

    public Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        if (http.Request.Headers["Sec-Fetch-Site"].ToString() is "" or "none" or "same-origin")
        {
            return next(http);
        }

        // What tells nothing of models and changes nothing may be linked to. Some of the rest loads models even where it only reads.
        var access = RouteAccess.Of(http);
        return access.Scope is AccessScope.Open or AccessScope.Health ? next(http) : RefuseAsync(http, access);
    }

    private Task RefuseAsync(HttpContext http, RouteAccess access)
    {
        if (_refusals.TryPass(nameof(OtherSites), out var heldBack))
        {
            Log.RequestNotAllowed(logger, http.Connection.RemoteIpAddress, Refusal.Message, heldBack);
        }

        audit.Write(http, access, null, Refusal);
        return http.IsGrpc() ? Refusal.WriteAsync(http) : RestErrors.WriteAsync(http, Refusal);
    }
}
