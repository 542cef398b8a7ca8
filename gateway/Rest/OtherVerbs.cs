using Cluster.Gateway.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cluster.Gateway.Rest;

/// <summary>What a known path answers to a verb that it does not take.</summary>
internal static class OtherVerbs
{
    /// <summary>Maps the path for any other verb: 405 with <c>Allow</c> and the protocol's form of errors. The router prefers routes that name the verb.</summary>
    /// <param name="taken">Verbs that have a route of their own, the usual one first.</param>
    public static void MapOtherVerbs(this IEndpointRouteBuilder endpoints, string pattern, string[] taken)
    {
        var allowed = string.Join(", ", taken);
        endpoints.Map(pattern, context =>
        {
            context.Response.Headers.Allow = allowed;
            return RestErrors.WriteAsync(
                context, StatusCodes.Status405MethodNotAllowed, $"{context.Request.Path} takes {taken[0]}, not {context.Request.Method}");
        }).Asks(RouteAccess.Client);
    }
}
