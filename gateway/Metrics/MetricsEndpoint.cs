using System.Diagnostics.Metrics;
using Cluster.Contracts.Options;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Security;
using Cluster.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Gateway.Metrics;

/// <summary>Where Prometheus asks for the process' metrics.</summary>
public static class MetricsEndpoint
{
    private const string Path = "/metrics";

    private static readonly string[] Verbs = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// Answers <c>GET</c> and <c>HEAD /metrics</c> as OpenMetrics to those that would rather have that, else in Prometheus' text format 0.0.4. Call it before the server starts: collection begins here, and a gauge
    /// that missed the connections opened before would run below 0.
    /// </summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints)
    {
        var exporter = endpoints.ServiceProvider.GetRequiredService<PrometheusExporter>();
        RequestDelegate answer = async context =>
        {
            var format = FormatFor(context.Request);
            context.Response.ContentType = ExpositionMediaType.Of(format);
            await exporter.WriteAsync(context.Response.BodyWriter, format, context.RequestAborted).ConfigureAwait(false);
        };
        endpoints.MapOtherVerbs(Path, Verbs);
        return endpoints.MapMethods(Path, Verbs, answer).WithDisplayName("Metrics").DisableHttpMetrics().Asks(RouteAccess.Observe);
    }

    private static ExpositionFormat FormatFor(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        var open = Quality(ExpositionMediaType.OpenMetrics);
        return open > 0 && open >= Quality(ExpositionMediaType.Text) ? ExpositionFormat.OpenMetrics : ExpositionFormat.Text;

        double Quality(string type) => accepted.Where(range => range.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase)).Select(static range => range.Quality ?? 1).DefaultIfEmpty(0).Max();
    }
}

/// <summary>Registers what gateways count and the exporter.</summary>
public static class ClusterMetricsExtensions
{
    /// <summary>Adds the metrics of requests and of the process, and the exporter that <see cref="MetricsEndpoint.MapMetrics"/> answers from.</summary>
    public static IServiceCollection AddClusterMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<MetricRegistry>();
        services.TryAddSingleton<ProcessMetrics>();
        services.TryAddSingleton<RequestMetrics>();
        services.AddClusterOptions<PrometheusOptions>();
        services.TryAddSingleton(static provider =>
        {
            _ = provider.GetRequiredService<ProcessMetrics>();
            return new PrometheusExporter(provider.GetRequiredService<MetricRegistry>(), provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<PrometheusOptions>());
        });
        return services;
    }
}
