using Cluster.Contracts.Errors;
using Cluster.Contracts.Options;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Security.Audit;
using Cluster.Gateway.Security.Policy;
using Cluster.Gateway.Security.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Gateway.Security;

/// <summary>Puts identities, permissions, quotas and the audit log in front of a process' endpoints.</summary>
public static class SecurityExtensions
{
    /// <summary>What <see cref="UseAccess"/> and <see cref="Secure"/> need.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services, EndpointTlsFiles tls)
    {
        if (tls.Certificate is not null)
        {
            services.AddSingleton(tls);
            services.AddSingleton<EndpointTls>();
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddClusterOptions<AccessOptions>();
        services.AddClusterOptions<TokenOptions>();
        services.AddClusterOptions<AuditOptions>();
        services.AddSingleton<AccessControl>();
        services.AddSingleton<TokenValidator>();
        services.AddSingleton<CallerIdentity>();
        services.AddSingleton<AccessMiddleware>();
        services.AddSingleton<OtherSites>();
        services.AddSingleton(static provider => ActivatorUtilities.CreateInstance<AuditLog>(provider, new Random()));
        services.AddHostedService(static provider => provider.GetRequiredService<AuditLog>());
        services.AddSingleton<TokenKeyReader>();
        services.AddHostedService(static provider => provider.GetRequiredService<TokenKeyReader>());
        services.AddMetrics();
        services.AddSingleton<AccessMetrics>();
        services.AddHostedService(static provider =>
        {
            _ = provider.GetRequiredService<AccessMetrics>();
            return ActivatorUtilities.CreateInstance<AccessWatch>(provider);
        });
        return services;
    }

    /// <summary>Has a port speak TLS, where a certificate is given.</summary>
    public static ListenOptions Secure(this ListenOptions listen)
    {
        listen.ApplicationServices.GetService<EndpointTls>()?.Protect(listen);
        return listen;
    }

    /// <summary>Has the web server refuse lengths of requests that a proxy before it may read otherwise.</summary>
    public static void RefuseDoubtfulLengths(this KestrelServerOptions kestrel) => LengthDigits.ApplyTo(kestrel);

    /// <summary>Answers what changes or observes models on the management port alone, where there is one; elsewhere it is an unknown path.</summary>
    public static void UseManagementPort(this WebApplication app, int? port)
    {
        if (port is { } management)
        {
            app.Use(next => http => RouteAccess.Of(http).IsManagement && http.Connection.LocalPort != management ? NotHereAsync(http) : next(http));
        }
    }

    /// <summary>Refuses what pages of other sites have browsers ask. Call it after what changes requests, such as gRPC-Web.</summary>
    public static void RefuseOtherSites(this WebApplication app)
    {
        var sites = app.Services.GetRequiredService<OtherSites>();
        app.Use(next => http => sites.InvokeAsync(http, next));
    }

    /// <summary>Asks before every endpoint, where rules or an audit log are configured; else it costs nothing. Call it after what changes requests, such as gRPC-Web.</summary>
    public static void UseAccess(this WebApplication app)
    {
        if (app.Services.GetRequiredService<AccessOptions>().File is not null || app.Services.GetRequiredService<AuditOptions>().File is not null)
        {
            var access = app.Services.GetRequiredService<AccessMiddleware>();
            app.Use(next => http => access.InvokeAsync(http, next));
        }
    }

    private static Task NotHereAsync(HttpContext http)
    {
        var text = $"'{http.Request.Path}' is not answered on this port";
        return http.IsGrpc()
            ? new Failure(StatusCode.Unimplemented, text).WriteAsync(http)
            : RestErrors.WriteAsync(http, StatusCodes.Status404NotFound, text);
    }
}
