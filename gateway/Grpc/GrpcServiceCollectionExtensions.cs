using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Gateway.Grpc;

/// <summary>Registers the gRPC endpoint.</summary>
public static class GrpcServiceCollectionExtensions
{
    /// <summary>
    /// Adds what MapGrpcService needs. The clock is the registered TimeProvider, else the system's.
    /// </summary>
    public static IServiceCollection AddGrpcServer(this IServiceCollection services, Action<GrpcServerOptions>? configure = null)
    {
        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<GrpcServer>();
        services.TryAddSingleton<GrpcServiceRegistry>();
        services.AddOptions<GrpcServerOptions>();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        return services;
    }
}
