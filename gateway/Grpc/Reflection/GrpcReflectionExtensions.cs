using Cluster.Contracts.Protocol.Reflection.V1;
using Cluster.Contracts.Protocol.Reflection.V1Alpha;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Cluster.Gateway.Grpc.Reflection;

/// <summary>Maps gRPC's server reflection.</summary>
public static class GrpcReflectionExtensions
{
    /// <summary>Serves reflection, v1 and v1alpha, over all services mapped before the first question.</summary>
    public static IEndpointConventionBuilder MapGrpcReflection(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var reflection = new ReflectionService(
            services.GetRequiredService<GrpcServiceRegistry>(), services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        ServiceDescriptor[] versions = [ReflectionReflection.Descriptor.Services[0], ReflectionV1AlphaReflection.Descriptor.Services[0]];
        return new GrpcConventionBuilder([.. versions.Select(
            version => endpoints.MapGrpcService(version, service => service.RawStream("ServerReflectionInfo", reflection.ServeAsync)))]);
    }
}
