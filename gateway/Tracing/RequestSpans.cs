using System.Collections.Frozen;
using System.Diagnostics;
using Cluster.Contracts.Tracing;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace Cluster.Gateway.Tracing;

/// <summary>
/// The server's span of a request, of the trace that its <c>traceparent</c> names. In place of ASP.NET Core's, which probes and scrapes have too and which costs more.
/// </summary>
public static class RequestSpans
{
    private const int FirstServerError = 500;

    /// <summary>What of a <c>tracestate</c> the W3C has every hop keep.</summary>
    private const int LongestTraceState = 512;

    /// <summary>What OpenTelemetry has for a verb that a client made up: names of spans and values of attributes are few.</summary>
    private const string OtherVerb = "_OTHER";

    private static readonly FrozenSet<string> Verbs =
        FrozenSet.Create(StringComparer.Ordinal, "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");

    /// <summary>As OpenTelemetry has it: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss.</summary>
    private static readonly FrozenSet<string> GrpcServerErrors = FrozenSet.Create(StringComparer.Ordinal, "2", "4", "12", "13", "14", "15");

    /// <summary>For processes that export traces; others go without. Call it before paths are mapped.</summary>
    public static void UseRequestSpans(this IApplicationBuilder app) => app.Use(static (http, next) => IsTraced(http) ? RunAsync(http, next) : next(http));

    private static bool IsTraced(HttpContext http) =>
        http.GetEndpoint() is { } endpoint
        && endpoint.Metadata.GetMetadata<IDisableHttpMetricsMetadata>() is null
        && endpoint.Metadata.GetMetadata<RouteAccess>() is var access
        && access is not { Scope: AccessScope.Health }
        && access != RouteAccess.ObserveStream;

    private static async Task RunAsync(HttpContext http, RequestDelegate next)
    {
        var headers = http.Request.Headers;
        var traceState = headers.TraceState.ToString();
        ActivityContext.TryParse(headers.TraceParent, traceState.Length <= LongestTraceState ? traceState : null, isRemote: true, out var parent);
        var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
        var isGrpc = http.IsGrpc();
        var verb = Verbs.Contains(http.Request.Method) ? http.Request.Method : OtherVerb;
        using var span = ServingTrace.Begin(isGrpc ? route.TrimStart('/') : $"{(verb == OtherVerb ? "HTTP" : verb)} {route}", ActivityKind.Server, parent);
        if (span is not { IsAllDataRequested: true })
        {
            await next(http).ConfigureAwait(false);
            return;
        }

        if (isGrpc)
        {
            span.SetTag("rpc.system", "grpc");
            span.SetTag("rpc.method", route[(route.LastIndexOf('/') + 1)..]);
        }
        else
        {
            span.SetTag("http.request.method", verb);
            span.SetTag("http.route", route);
        }

        try
        {
            await next(http).ConfigureAwait(false);
        }
        finally
        {
            End(span, http, isGrpc);
        }
    }

    private static void End(Activity span, HttpContext http, bool isGrpc)
    {
        if (isGrpc)
        {
            var trailer = http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers["grpc-status"].ToString();
            var status = string.IsNullOrEmpty(trailer) ? http.Response.Headers["grpc-status"].ToString() : trailer;
            span.SetTag("rpc.grpc.status_code", status);
            if (GrpcServerErrors.Contains(status))
            {
                span.SetStatus(ActivityStatusCode.Error);
            }

            return;
        }

        span.SetTag("http.response.status_code", http.Response.StatusCode);
        if (http.Response.StatusCode >= FirstServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
