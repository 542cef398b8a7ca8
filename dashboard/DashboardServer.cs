using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Dashboard;

namespace Cluster.Dashboard;

/// <summary>A web server of its own on loopback. What the process serves to clients has no path of the dashboard, and their limits are not its.</summary>
/// <param name="process">The services of the process.</param>
internal sealed class DashboardServer(IServiceProvider process, int port) : IHostedService, IAsyncDisposable
{
    /// <summary>Names of loopback. A page of another site that has its name lead here asks for that name.</summary>
    private static readonly string[] Hosts = ["localhost", "127.0.0.1"];

    private WebApplication? _app;

    /// <summary>The log stays where it is: it may tell more than the dashboard does.</summary>
    public static void Configure(DashboardOptions options) => options.HideTrace = true;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddRouting();
        builder.Services.AddSingleton(process.GetRequiredService<ILoggerFactory>());
        builder.Services.AddSingleton(process.GetRequiredService<IGrainFactory>());
        new Pages(builder.Services, builder.Configuration).AddDashboard(Configure);
        _app = builder.Build();
        _app.Use(RefuseOtherSitesAsync);
        _app.MapOrleansDashboard().RequireHost(Hosts);
        return _app.StartAsync(cancellationToken);
    }

    /// <summary>A page of another site in the operator's browser must not have grains activated, which some of the paths do. Browsers say where a request is from.</summary>
    private static Task RefuseOtherSitesAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Headers["Sec-Fetch-Site"].ToString() is "" or "none" or "same-origin")
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Orleans' pages are registered for clients of Orleans; they ask the grains of this process' cluster.</summary>
    private sealed record Pages(IServiceCollection Services, IConfiguration Configuration) : IClientBuilder;
}
