using Cluster.Gateway.Security;
using Cluster.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Gateway.Metrics;

/// <summary>Where Prometheus asks for the process' metrics.</summary>
public static class MetricsEndpoint
{
    private const string Path = "/metrics";

    private static readonly string[] Verbs = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// Answers <c>GET</c> and <c>HEAD /metrics</c> in Prometheus' text format 0.0.4. Call it before the server starts: collection begins here, and a gauge
    /// that missed the connections opened before would run below 0.
    /// </summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints)
    {
        var exporter = endpoints.ServiceProvider.GetRequiredService<PrometheusExporter>();
        RequestDelegate answer = async context =>
        {
            context.Response.ContentType = PrometheusExporter.ContentType;
            await exporter.WriteAsync(context.Response.BodyWriter, context.RequestAborted).ConfigureAwait(false);
        };
        endpoints.Map(Path, static context =>
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = string.Join(", ", Verbs);
            return Task.CompletedTask;
        }).Asks(RouteAccess.Client);
        return endpoints.MapMethods(Path, Verbs, answer).WithDisplayName("Metrics").DisableHttpMetrics().Asks(RouteAccess.Observe);
    }
}
