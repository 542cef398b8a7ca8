using Cluster.Contracts.Errors;
using Cluster.Contracts.Nodes;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary>What operators ask of the cluster: the silos, where each model's replicas are, and why. Models that the caller may not read are left out.</summary>
internal sealed class ClusterEndpoint(IServingApi api)
{
    private const string SiloKey = "silo";

    public async Task GetAsync(HttpContext context)
    {
        var overview = await api.GetClusterAsync(context.RequestAborted);
        await JsonAnswer.WriteAsync(context, ClusterAnswer.Of(overview, Caller.Of(context)));
    }

    /// <summary>Drains the silo that the path names, or has it take replicas again; answers before its replicas have moved.</summary>
    public async Task DrainAsync(HttpContext context, bool drains)
    {
        var silo = context.Request.RouteValues[SiloKey] as string ?? "";
        await JsonAnswer.WriteAsync(context, ClusterNode.Of(await api.DrainSiloAsync(silo, drains, context.RequestAborted)));
    }

    /// <summary>A model that the caller may not read is answered as one that is not there.</summary>
    public async Task GetPlacementAsync(HttpContext context)
    {
        var model = ModelPath.Of(context).Model;
        var versions = Caller.Of(context).May(Permission.Read, model) ? await api.ExplainPlacementAsync(model, context.RequestAborted) : [];
        await JsonAnswer.WriteAsync(context, versions.Length > 0
            ? PlacementAnswer.Of(model, versions)
            : throw new ServingException(Failure.NotFound($"Request for unknown model: '{VersionText.Shorten(model)}' is not found")));
    }
}

/// <summary>What placement thinks of each silo for each version of a model.</summary>
internal sealed record PlacementAnswer(string Model, IEnumerable<PlacementVersion> Versions)
{
    public static PlacementAnswer Of(string model, IEnumerable<PlacementDescription> versions) => new(model, versions.Select(PlacementVersion.Of));
}

/// <param name="Problem">Why the version is on no silo and none can take it; else left out.</param>
internal sealed record PlacementVersion(long Version, long Bytes, string? Problem, IEnumerable<PlacementSilo> Silos)
{
    public static PlacementVersion Of(PlacementDescription version) =>
        new(version.Version, version.Bytes, version.Problem, version.Silos.Select(static silo => new PlacementSilo(silo.Silo, silo.Fits, silo.IsCandidate, silo.Reason)));
}

internal sealed record PlacementSilo(string Silo, bool Fits, bool Candidate, string Reason);
