using System.Net;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.Security;
using Cluster.Grains.Repository;
using Cluster.Silo.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Silo.Hosting;

/// <summary>What a process that is only a silo answers over HTTP: metrics and health, no requests for models.</summary>
internal static class SiloEndpoints
{
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static void AddSiloEndpoints(this WebApplicationBuilder builder, ServeOptions options)
    {
        builder.Services.AddRouting();
        builder.Services.AddAccess(options);
        builder.Services.AddClusterMetrics();
        builder.WebHost.ConfigureKestrel((_, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.RefuseDoubtfulLengths();
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(IPAddress.Parse(options.Bind), options.HttpPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Secure();
            });
        });
    }

    /// <param name="options">Validated.</param>
    public static void MapSiloEndpoints(this WebApplication app, ServeOptions options)
    {
        app.UseAccess();
        app.MapMetrics();
        app.MapMethods("/v2/health/live", Read, static context => WriteAsync(context, "live", true)).Asks(RouteAccess.Health);
        var states = app.Services.GetRequiredService<IServingStates>();
        var repository = app.Services.GetRequiredService<RepositoryStanding>();
        app.MapMethods("/v2/health/ready", Read, context => WriteAsync(
            context,
            "ready",
            states.InitialLoadFinished
                && repository.Agrees
                && !app.Lifetime.ApplicationStopping.IsCancellationRequested
                && states.HasReady(options.MinReadyModels))).Asks(RouteAccess.Health);
    }

    private static Task WriteAsync(HttpContext context, string what, bool value)
    {
        context.Response.StatusCode = value ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync($"{{\"{what}\":{(value ? "true" : "false")}}}", context.RequestAborted);
    }
}
