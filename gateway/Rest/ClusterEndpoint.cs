using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary><c>GET /v2/cluster</c>: the silos, and where each model's replicas are, for operators.</summary>
internal sealed class ClusterEndpoint(IServingApi api)
{
    public async Task GetAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(context, ClusterAnswer.Of(await api.GetClusterAsync(context.RequestAborted)));
}
