using Cluster.Contracts.Errors;
using Cluster.Gateway.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cluster.Gateway.Rest;

/// <summary>Adds routes that answer errors in the protocol's form, a wrong verb included.</summary>
internal sealed class RestRoutes(IEndpointRouteBuilder endpoints, RestBoundary boundary)
{
    /// <summary>The path of a model, and of one of its versions.</summary>
    public static readonly string[] ModelPaths = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"];

    /// <summary>HEAD is answered as GET; the server leaves the body out.</summary>
    public void Get(string pattern, RouteAccess access, RequestDelegate handler) => Map(pattern, [HttpMethods.Get, HttpMethods.Head], access, handler);

    public void Post(string pattern, RouteAccess access, RequestDelegate handler) => Map(pattern, [HttpMethods.Post], access, handler);

    /// <summary>A path that others have and we know, but do not serve.</summary>
    public void Unsupported(string pattern, string why)
    {
        var failure = new Failure(StatusCode.Unimplemented, why);
        endpoints.Map(pattern, context => RestErrors.WriteAsync(context, failure)).Asks(RouteAccess.Client);
    }

    /// <summary>Takes what no other route takes.</summary>
    public void MapRest(string pattern, RequestDelegate handler) =>
        endpoints.Map(pattern, handler).Asks(RouteAccess.Client).Add(static builder => ((RouteEndpointBuilder)builder).Order = int.MaxValue);

    private void Map(string pattern, string[] methods, RouteAccess access, RequestDelegate handler)
    {
        endpoints.MapMethods(pattern, methods, boundary.Around(handler)).Asks(access);
        endpoints.MapOtherVerbs(pattern, methods);
    }
}
