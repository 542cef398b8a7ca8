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

    /// <summary>For processes that export traces; others go without. Call it before paths are mapped.</summary>
    public static void UseRequestSpans(this IApplicationBuilder app) => app.Use(static (http, next) => IsTraced(http) ? RunAsync(http, next) : next(http));

    private static bool IsTraced(HttpContext http) =>
        http.GetEndpoint() is { } endpoint
        && endpoint.Metadata.GetMetadata<IDisableHttpMetricsMetadata>() is null
        && endpoint.Metadata.GetMetadata<RouteAccess>() is not { Scope: AccessScope.Health };

    private static async Task RunAsync(HttpContext http, RequestDelegate next)
    {
        var headers = http.Request.Headers;
        ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out var parent);
        var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
        var isGrpc = http.IsGrpc();
        using var span = ServingTrace.Begin(isGrpc ? route.TrimStart('/') : $"{http.Request.Method} {route}", ActivityKind.Server, parent);
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
            span.SetTag("http.request.method", http.Request.Method);
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
            var status = http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers["grpc-status"].ToString();
            span.SetTag("rpc.grpc.status_code", string.IsNullOrEmpty(status) ? http.Response.Headers["grpc-status"].ToString() : status);
            return;
        }

        span.SetTag("http.response.status_code", http.Response.StatusCode);
        if (http.Response.StatusCode >= FirstServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
