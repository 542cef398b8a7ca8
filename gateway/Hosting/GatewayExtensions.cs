using System.Reflection;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Models;
using Cluster.Contracts.Options;
using Cluster.Gateway.Console;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Gateway.Traffic;
using Cluster.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Hosting;

/// <summary>Puts a gateway into a process. It needs the process' serving states, repository control and grain factory, and <see cref="SecurityExtensions.AddAccess"/>.</summary>
public static class GatewayExtensions
{
    /// <summary>Registers the gateway and has the web server listen for it.</summary>
    /// <param name="options">Validated.</param>
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder, GatewayOptions options)
    {
        // It would make an Activity and a scope of each request, 800 bytes, for lines that nothing reads.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        var services = builder.Services;
        services.AddClusterMetrics();
        services.AddSingleton(static provider => new PayloadRoom(PayloadPool.Shared, provider.GetRequiredService<LimitOptions>().MessageMemoryBytes));
        services.AddGrpcServer(options.MaxMessageBytes);
        services.AddRest();
        services.Configure<RestOptions>(rest => rest.MaxRequestBytes = options.MaxMessageBytes);
        services.AddClusterOptions<LimitOptions>();
        services.AddClusterOptions<TrafficOptions>();
        services.AddSingleton(options);
        services.AddSingleton<ServerReadiness>();
        services.AddSingleton<AddressHolds>();
        services.AddSingleton<FloodWatch>();
        services.AddSingleton(provider => new ConnectionGate(
            options.MaxConnections ?? ConnectionGate.LimitFor(LinuxProcess.ReadOpenFileLimit()),
            provider.GetRequiredService<LimitOptions>(),
            provider.GetRequiredService<AddressHolds>(),
            new Random(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ConnectionGate>>()));
        if (options.DrainTime > TimeSpan.Zero)
        {
            services.AddSingleton<IHostLifetime, DrainingLifetime>();
        }

        services.AddSingleton(new ServerIdentity(options.ServerName, ProductVersion()));
        services.AddModelRouting();
        services.AddSingleton<ModelCatalog>();
        services.AddSingleton<IServingApi, ServingApi>();
        services.TryAddSingleton<IRepositoryControl, RemoteRepository>();
        services.AddSingleton<ManagedModels>();
        services.AddSingleton<ManagedAliases>();
        services.AddSingleton<RegistrationQuota>();
        services.AddSingleton<RegistryWatch>();
        services.AddSingleton<ModelMeshService>();
        services.AddSingleton<Readiness>();
        services.AddHostedService<TimelineWatch>();
        builder.WebHost.ConfigureKestrel((_, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.RefuseDoubtfulLengths();
            kestrel.ConfigureGrpcLimits(kestrel.ApplicationServices.GetRequiredService<LimitOptions>().StreamsPerConnection);
            var gate = kestrel.ApplicationServices.GetRequiredService<ConnectionGate>();

            // Before the first connection: one that began earlier has nothing that tells where it came from.
            kestrel.ApplicationServices.GetRequiredService<FloodWatch>();
            kestrel.Listen(options.Bind, options.HttpPort, listen => Listen(listen, HttpProtocols.Http1, gate));
            kestrel.Listen(options.Bind, options.GrpcPort, listen => Listen(listen, HttpProtocols.Http2, gate));
            if (options.ManagementPort is { } management)
            {
                kestrel.Listen(options.Bind, management, listen => Listen(listen, HttpProtocols.Http1AndHttp2, gate));
            }
        });
        services.AddOptions<KestrelServerOptions>().Configure<Microsoft.Extensions.Options.IOptions<RestOptions>>(
            (kestrel, rest) => rest.Value.ApplyTo(kestrel.Limits));
        return builder;
    }

    /// <summary>Maps every path of the gateway.</summary>
    public static WebApplication MapGateway(this WebApplication app)
    {
        app.Services.GetRequiredService<RequestMetrics>().Follow(app.Services.GetRequiredService<RouteTable>());
        app.Services.GetRequiredService<Readiness>().Follow();
        app.MapMetrics();
        app.MapKServe();
        app.UseManagementPort(app.Services.GetRequiredService<GatewayOptions>().ManagementPort);
        app.RefuseOtherSites();
        app.UseAccess();
        app.Services.GetRequiredService<ModelMeshService>().Map(app);
        app.MapConsole();
        app.MapRest();
        return app;
    }

    private static void Listen(ListenOptions listen, HttpProtocols protocols, ConnectionGate gate)
    {
        listen.Protocols = protocols;
        listen.Use(next => connection => gate.RunAsync(connection, next));
        listen.Secure();
    }

    private static string ProductVersion() =>
        typeof(GatewayExtensions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
