using Cluster.Contracts.Protocol.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.Gateway.Grpc.Health;

/// <summary>Maps gRPC's standard health service.</summary>
public static class GrpcHealthExtensions
{
    /// <summary>Serves <c>grpc.health.v1.Health</c> from the registered <see cref="IServingStatus"/>.</summary>
    public static IEndpointConventionBuilder MapGrpcHealth(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var health = new HealthService(
            services.GetRequiredService<IServingStatus>(), services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        return endpoints.MapGrpcService(HealthReflection.Descriptor.Services[0], service => service
            .Unary<HealthCheckRequest, HealthCheckResponse>("Check", HealthCheckRequest.Parser, health.CheckAsync)
            .ServerStream<HealthCheckRequest, HealthCheckResponse>("Watch", HealthCheckRequest.Parser, health.WatchAsync));
    }
}
