using Cluster.Contracts.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Gateway.Metrics;

/// <summary>Where Prometheus asks for the process' metrics.</summary>
public static class MetricsEndpoint
{
    /// <summary>
    /// Answers <c>GET /metrics</c> in Prometheus' text format 0.0.4. Call it before the server starts: collection begins here, and a gauge
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
        return endpoints.MapGet("/metrics", answer).WithDisplayName("Metrics").DisableHttpMetrics();
    }
}
