using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Options;
using Cluster.Gateway.Console;
using Cluster.Gateway.Rest.Control;
using Cluster.Gateway.Rest.Infer;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Gateway.Rest;

/// <summary>
/// The KServe v2 protocol over HTTP, with the extensions that its clients use, and OVMS's config API. Routes carry the model's name
/// and version as the route values <c>model</c> and <c>version</c>.
/// </summary>
public static class RestEndpoints
{
    /// <summary>What <see cref="MapRest"/> needs, beside an implementation of the serving API.</summary>
    public static IServiceCollection AddRest(this IServiceCollection services)
    {
        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.AddClusterOptions<RestOptions>();
        services.AddSingleton<RestBoundary>();
        services.AddSingleton<ModelEndpoints>();
        services.AddSingleton<RepositoryEndpoints>();
        services.AddClusterOptions<ConsoleOptions>();
        services.AddSingleton<Timeline>();
        services.AddSingleton<ClusterEndpoint>();
        services.AddSingleton<EventStreams>();
        services.AddSingleton<EventsEndpoint>();
        services.AddSingleton<AliasEndpoints>();
        services.TryAddSingleton<LateFailures>();
        services.TryAddSingleton(PayloadRoom.Unlimited);
        services.AddSingleton<InferEndpoint>();
        return services;
    }

    /// <summary>Maps every path of the REST front end; any other path is answered 404 in the protocol's form.</summary>
    public static void MapRest(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var routes = new RestRoutes(endpoints, services.GetRequiredService<RestBoundary>());
        MapModels(routes, services.GetRequiredService<ModelEndpoints>(), services.GetRequiredService<InferEndpoint>());
        MapRepository(routes, services.GetRequiredService<RepositoryEndpoints>());
        MapCluster(routes, services.GetRequiredService<ClusterEndpoint>(), services.GetRequiredService<EventsEndpoint>());
        MapAliases(routes, services.GetRequiredService<AliasEndpoints>());
        MapUnsupported(routes);
        routes.MapRest("/{**path}", static context =>
            RestErrors.WriteAsync(context, StatusCodes.Status404NotFound, $"unknown path '{context.Request.Path}'"));
    }

    private static void MapModels(RestRoutes routes, ModelEndpoints models, InferEndpoint infer)
    {
        routes.Get("/v2", RouteAccess.Client, models.GetServerAsync);
        routes.Get("/v2/health/live", RouteAccess.Health, ModelEndpoints.GetLiveAsync);
        routes.Get("/v2/health/ready", RouteAccess.Health, models.GetReadyAsync);
        routes.Get("/v2/models", RouteAccess.List, models.GetNamesAsync);
        routes.Get("/v2/models/stats", RouteAccess.List, models.GetStatisticsAsync);
        foreach (var model in RestRoutes.ModelPaths)
        {
            routes.Get(model, RouteAccess.Read, models.GetModelAsync);
            routes.Get(model + "/ready", RouteAccess.Read, models.GetModelReadyAsync);
            routes.Get(model + "/config", RouteAccess.Read, models.GetConfigAsync);
            routes.Get(model + "/stats", RouteAccess.Read, models.GetStatisticsAsync);
            routes.Post(model + "/infer", RouteAccess.Infer, infer.HandleAsync);
        }
    }

    private static void MapRepository(RestRoutes routes, RepositoryEndpoints repository)
    {
        routes.Post("/v2/repository/index", RouteAccess.List, repository.GetIndexAsync);
        routes.Post("/v2/repository/models/{model}/load", RouteAccess.Manage, repository.LoadAsync);
        routes.Post("/v2/repository/models/{model}/unload", RouteAccess.Manage, repository.UnloadAsync);
        routes.Post("/v2/repository/models/{model}/scale", RouteAccess.Manage, repository.ScaleAsync);
        routes.Get("/v1/config", RouteAccess.List, repository.GetConfigStatusAsync);
        routes.Post("/v1/config/reload", RouteAccess.ManageAll, repository.ReloadAsync);
    }

    private static void MapCluster(RestRoutes routes, ClusterEndpoint cluster, EventsEndpoint events)
    {
        routes.Get("/v2/cluster", RouteAccess.Observe, cluster.GetAsync);
        routes.Get("/v2/cluster/events", RouteAccess.ObserveStream, events.GetAsync);
        routes.Get("/v2/cluster/models/{model}/placement", RouteAccess.Observe, cluster.GetPlacementAsync);
        routes.Post("/v2/cluster/silos/{silo}/drain", RouteAccess.ManageAll, context => cluster.DrainAsync(context, drains: true));
        routes.Post("/v2/cluster/silos/{silo}/undrain", RouteAccess.ManageAll, context => cluster.DrainAsync(context, drains: false));
    }

    /// <summary>An alias is named as a model is.</summary>
    private static void MapAliases(RestRoutes routes, AliasEndpoints aliases)
    {
        routes.Get("/v2/aliases", RouteAccess.List, aliases.ListAsync);
        routes.Get("/v2/aliases/{model}/traffic", RouteAccess.Read, aliases.GetTrafficAsync);
        routes.Post("/v2/aliases/{model}/traffic/set", RouteAccess.Manage, aliases.SetTrafficAsync);
        routes.Post("/v2/aliases/{model}/traffic/clear", RouteAccess.Manage, aliases.ClearTrafficAsync);
        routes.Post("/v2/aliases/{model}/traffic/rollback", RouteAccess.Manage, aliases.RollBackAsync);
    }

    private static void MapUnsupported(RestRoutes routes)
    {
        routes.Unsupported("/v2/systemsharedmemory/{**path}", "shared memory is not offered; send tensors in the request");
        routes.Unsupported("/v2/cudasharedmemory/{**path}", "shared memory is not offered; send tensors in the request");
        routes.Unsupported("/v2/trace/setting", "trace settings are not offered here; the operator sets up tracing");
        routes.Unsupported("/v2/logging", "log settings are not offered here; the operator sets up logging");
        foreach (var model in RestRoutes.ModelPaths)
        {
            routes.Unsupported(model + "/trace/setting", "trace settings are not offered here; the operator sets up tracing");
            routes.Unsupported(model + "/generate", "text generation is not offered; use infer");
            routes.Unsupported(model + "/generate_stream", "text generation is not offered; use infer");
        }
    }
}

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
