using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Cluster.Gateway.Grpc;

/// <summary>Puts gRPC services on an application's routes.</summary>
public static class GrpcEndpointExtensions
{
    /// <summary>
    /// Maps a service's methods. Needs <see cref="GrpcServiceCollectionExtensions.AddGrpcServer"/>.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="service">The service, as the protocol compiler describes it: <c>XReflection.Descriptor.Services[0]</c>.</param>
    /// <param name="configure">Names the handlers.</param>
    /// <returns>Applies conventions to every method.</returns>
    public static IEndpointConventionBuilder MapGrpcService(
        this IEndpointRouteBuilder endpoints, ServiceDescriptor service, Action<GrpcServiceBuilder> configure)
    {
        var builder = new GrpcServiceBuilder(endpoints.ServiceProvider.GetRequiredService<GrpcServer>(), service);
        configure(builder);
        endpoints.ServiceProvider.GetRequiredService<GrpcServiceRegistry>().Add(service);
        return new GrpcConventionBuilder([.. builder.Build().Select(
            method => endpoints.Map(RoutePatternFactory.Parse(method.Path), method.Handler).WithDisplayName($"gRPC {method.Path}"))]);
    }

    /// <summary>Answers gRPC calls of any other path with UNIMPLEMENTED. Other requests are left alone: their own fallback comes after this one.</summary>
    public static IEndpointConventionBuilder MapGrpcFallback(this IEndpointRouteBuilder endpoints)
    {
        var server = endpoints.ServiceProvider.GetRequiredService<GrpcServer>();
        var handler = new UnimplementedCallHandler(server, "an unknown method", explanation: null);
        var pattern = RoutePatternFactory.Parse(
            "{**path}", defaults: null, parameterPolicies: new { path = new GrpcContentTypeConstraint() });
        var builder = endpoints.Map(pattern, handler.HandleAsync).WithDisplayName("gRPC unknown method");
        builder.Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = int.MaxValue - 1);
        return builder;
    }

    private sealed class GrpcContentTypeConstraint : IRouteConstraint
    {
        public bool Match(
            HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
            httpContext is not null && GrpcProtocol.IsGrpcContentType(httpContext.Request.ContentType);
    }
}
