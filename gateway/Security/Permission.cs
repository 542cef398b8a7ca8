using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Security;

/// <summary>What a rule of <c>access.json</c> allows.</summary>
public enum Permission
{
    /// <summary>Run a model.</summary>
    Infer,

    /// <summary>See that a model is there, its metadata, configuration, state and statistics.</summary>
    Read,

    /// <summary>Load, unload, scale, register and unregister a model, move an alias, drain a silo.</summary>
    Manage,

    /// <summary>Metrics, and the silos with all that they hold.</summary>
    Observe,
}

/// <summary>What an endpoint asks of its caller.</summary>
public enum AccessScope
{
    /// <summary>A known client, of any rights; the endpoint tells nothing of models.</summary>
    Client,

    /// <summary>A known client with the permission for the model that the request names: the handler asks once it knows the name.</summary>
    Model,

    /// <summary>A known client; the handler leaves out models that it may not see.</summary>
    List,

    /// <summary>A known client with the permission for every model.</summary>
    All,

    /// <summary>All callers: the answer is the same for each, and part of the program.</summary>
    Open,

    /// <summary>All callers where <c>Access:OpenHealth</c> is on, else a known client.</summary>
    Health,
}

/// <summary>Among the metadata of every endpoint of the gateway: one without it is refused to all.</summary>
/// <param name="Permission">Which permission <see cref="AccessScope.Model"/>, <see cref="AccessScope.List"/> and <see cref="AccessScope.All"/> are about.</param>
public sealed record RouteAccess(AccessScope Scope, Permission Permission = Permission.Read)
{
    public static readonly RouteAccess Client = new(AccessScope.Client);
    public static readonly RouteAccess Health = new(AccessScope.Health);
    public static readonly RouteAccess Infer = new(AccessScope.Model, Permission.Infer);
    public static readonly RouteAccess StreamInfer = Infer with { CountsRequests = true };
    public static readonly RouteAccess Read = new(AccessScope.Model, Permission.Read);
    public static readonly RouteAccess List = new(AccessScope.List, Permission.Read);
    public static readonly RouteAccess Manage = new(AccessScope.Model, Permission.Manage);
    public static readonly RouteAccess ManageAll = new(AccessScope.All, Permission.Manage);
    public static readonly RouteAccess Observe = new(AccessScope.All, Permission.Observe);
    public static readonly RouteAccess ObserveStream = Observe with { CountsRequests = true };
    public static readonly RouteAccess Console = new(AccessScope.Open, Permission.Observe);

    /// <summary>Whether the handler counts the requests against the caller's quotas, as there are many in one call.</summary>
    public bool CountsRequests { get; private init; }

    /// <summary>What the endpoint of a request asks; of one that does not say, what few may.</summary>
    public static RouteAccess Of(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<RouteAccess>() ?? ManageAll;

    /// <summary>Whether the endpoint belongs on the management port, where there is one.</summary>
    public bool IsManagement => Scope is AccessScope.Model or AccessScope.All or AccessScope.Open && Permission is Permission.Manage or Permission.Observe;
}

/// <summary>How endpoints state the right that they need.</summary>
public static class RouteAccessExtensions
{
    /// <summary>States what endpoints ask of their callers.</summary>
    public static T Asks<T>(this T endpoints, RouteAccess access)
        where T : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint => endpoint.Metadata.Add(access));
        return endpoints;
    }
}
