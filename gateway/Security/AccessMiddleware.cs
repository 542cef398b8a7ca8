using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Security.Audit;
using Cluster.Gateway.Security.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Security;

/// <summary>
/// Stands before every endpoint where <c>access.json</c> is given. It identifies the caller, refuses it without the right that the endpoint asks, and counts the
/// request against its quotas. Rights for single models are asked where their names are known: <see cref="Caller.Demand"/>.
/// </summary>
internal sealed class AccessMiddleware(
    AccessControl control, CallerIdentity identity, AccessOptions options, AuditLog audit, TimeProvider time, ILogger<AccessMiddleware> logger, EndpointTls? tls = null)
{
    private readonly CauseLimiter _refusals = new(time);

    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var access = RouteAccess.Of(http);
        if (access.Scope == AccessScope.Open || (access.Scope == AccessScope.Health && (options.OpenHealth || (http.Connection.ClientCertificate is { } own && tls?.IsOwn(own) == true))))
        {
            await next(http).ConfigureAwait(false);
            return;
        }

        if (options.File is null)
        {
            await AnswerAsync(http, next, access, Caller.Unknown()).ConfigureAwait(false);
            return;
        }

        var (client, reason) = await identity.FindAsync(http).ConfigureAwait(false);
        if (client is null)
        {
            await RefuseAsync(http, access, null, new Failure(StatusCode.Unauthenticated, $"the request names no known client: {reason}")).ConfigureAwait(false);
            return;
        }

        var caller = control.CallerOf(client);
        if (access.Scope == AccessScope.All && !client.AllowsAll(access.Permission))
        {
            await RefuseAsync(http, access, caller, caller.Refuse(access.Permission, "*")).ConfigureAwait(false);
            return;
        }

        if (caller.Enter() is { } refusal)
        {
            await RefuseAsync(http, access, caller, refusal).ConfigureAwait(false);
            return;
        }

        if (access.CountsRequests)
        {
            // The opening counts against the rate; what is in flight are the requests in it.
            caller.Leave();
            await AnswerAsync(http, next, access, caller).ConfigureAwait(false);
            return;
        }

        try
        {
            await AnswerAsync(http, next, access, caller).ConfigureAwait(false);
        }
        finally
        {
            caller.Leave();
        }
    }

    private async Task AnswerAsync(HttpContext http, RequestDelegate next, RouteAccess access, Caller caller)
    {
        http.Features.Set(caller);
        try
        {
            await next(http).ConfigureAwait(false);
        }
        finally
        {
            audit.Write(http, access, caller);
        }
    }

    private Task RefuseAsync(HttpContext http, RouteAccess access, Caller? caller, Failure failure)
    {
        if (_refusals.TryPass($"{failure.Code} {caller?.Name}", out var heldBack))
        {
            Log.RequestNotAllowed(logger, http.Connection.RemoteIpAddress, failure.Message, heldBack);
        }

        audit.Write(http, access, caller, failure);
        if (http.IsGrpc())
        {
            return failure.WriteAsync(http);
        }

        if (failure.Code == StatusCode.Unauthenticated)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return RestErrors.WriteAsync(http, failure);
    }
}

/// <summary>Event ids 3260 to 3279.</summary>
internal static partial class Log
{
    [LoggerMessage(3260, LogLevel.Warning, "Refused a request from {Address}: {Reason}; and {HeldBack} times so since the last line")]
    public static partial void RequestNotAllowed(ILogger logger, System.Net.IPAddress? address, string reason, long heldBack);

    [LoggerMessage(3261, LogLevel.Information, "Took the rules of {File}: {Clients} clients")]
    public static partial void RulesTaken(ILogger logger, string file, int clients);

    [LoggerMessage(3262, LogLevel.Warning, "Refused a client's certificate: {Reason}; and {HeldBack} times so since the last line")]
    public static partial void CertificateRefused(ILogger logger, string reason, long heldBack);

    [LoggerMessage(3263, LogLevel.Error, "Audit lines were not written to {File}: {Reason}")]
    public static partial void AuditFailed(ILogger logger, string file, string reason);

    [LoggerMessage(3264, LogLevel.Information, "Took the keys of tokens from {Address}")]
    public static partial void TokenKeysTaken(ILogger logger, string address);

    [LoggerMessage(3265, LogLevel.Error, "Kept the keys of tokens that were read before, as {Address} gave none: {Reason}; and {HeldBack} times so since the last line")]
    public static partial void TokenKeysKept(ILogger logger, string address, string reason, long heldBack);
}
