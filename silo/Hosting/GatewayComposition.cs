using System.Net;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Audit;
using Cluster.Grains;
using Cluster.Grains.Registry;
using Cluster.Silo.Clustering;
using Cluster.Silo.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Silo.Hosting;

/// <summary>What a gateway needs of its process: alone, in a process of its own, or beside a silo.</summary>
internal static class GatewayComposition
{
    /// <summary>A process that is only a gateway.</summary>
    /// <param name="options">Validated, with Redis.</param>
    public static void AddGatewayProcess(this WebApplicationBuilder builder, ServeOptions options)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddClusterNetwork(options);
        services.AddReplicatedServingStates();
        services.AddRemotePlacement();
        services.AddOrleansSilo(ClusterComposition.Describe(options));
        builder.AddGateway(options);
    }

    /// <summary>The gateway itself.</summary>
    public static void AddGateway(this WebApplicationBuilder builder, ServeOptions options)
    {
        builder.Services.AddAccess(options);
        builder.AddGateway(Options(options));
    }

    /// <summary>Who may do what, over TLS.</summary>
    public static void AddAccess(this IServiceCollection services, ServeOptions options)
    {
        services.Configure<AccessOptions>(access => access.File = options.Access);
        services.Configure<TokenOptions>(tokens => tokens.Keys = options.TokenKeys);
        services.Configure<AuditOptions>(audit => audit.File = options.AuditLog);
        services.AddAccess(new EndpointTlsFiles
        {
            Certificate = options.TlsCert,
            Key = options.TlsKey,
            ClientAuthorities = options.TlsClientCa,
            Revocations = options.TlsCrl,
            ClientCertificate = options.TlsClientCert,
        });
    }

    private static GatewayOptions Options(ServeOptions options) => new()
    {
        Bind = IPAddress.Parse(options.Bind),
        HttpPort = options.HttpPort,
        GrpcPort = options.GrpcPort,
        ServerName = options.ServerName,
        MaxMessageBytes = options.MaxMessageMiB << 20,
        MaxConnections = options.MaxConnections > 0 ? options.MaxConnections : null,
        DrainTime = TimeSpan.FromSeconds(options.DrainSeconds),
        MinReadyModels = options.MinReadyModels,
        ManagementPort = options.ManagementPort > 0 ? options.ManagementPort : null,
    };
}
