using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest.Control;

/// <summary>What clients ask about the server and its models.</summary>
internal sealed class ModelEndpoints(IServingApi api)
{
    public Task GetServerAsync(HttpContext context) => JsonAnswer.WriteAsync(context, api.GetServerMetadata());

    public static Task GetLiveAsync(HttpContext context) => JsonAnswer.WriteAsync(context, new LiveAnswer(true));

    public Task GetReadyAsync(HttpContext context) => WriteReadyAsync(context, new ReadyAnswer(null, api.IsReady));

    public Task GetModelReadyAsync(HttpContext context)
    {
        var route = ModelPath.Of(context, api);
        var isReady = api.IsModelReady(route.Model, route.AboutVersion, Protocol.Rest);
        return WriteReadyAsync(context, new ReadyAnswer(route.Model, isReady, isReady ? null : api.WhyNotReady(route.Model, route.AboutVersion)));
    }

    public Task GetNamesAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, NamesAnswer.Of(api.GetRepositoryIndex(readyOnly: false, Caller.Of(context))));

    public async Task GetModelAsync(HttpContext context)
    {
        var route = ModelPath.Of(context, api);
        var model = await api.GetModelMetadataAsync(route.Model, route.AboutVersion, Protocol.Rest, context.RequestAborted);
        await JsonAnswer.WriteAsync(context, model);
    }

    public async Task GetConfigAsync(HttpContext context)
    {
        var route = ModelPath.Of(context, api);
        var config = await api.GetModelConfigAsync(route.Model, route.AboutVersion, context.RequestAborted);
        await JsonAnswer.WriteAsync(context, config);
    }

    /// <summary>Of one model, or of all where the path names none.</summary>
    public async Task GetStatisticsAsync(HttpContext context)
    {
        var route = ModelPath.Of(context, api);
        var statistics = await api.GetModelStatisticsAsync(route.Model, route.AboutVersion, Caller.Of(context), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, statistics);
    }

    private static Task WriteReadyAsync(HttpContext context, ReadyAnswer answer) =>
        JsonAnswer.WriteAsync(context, answer.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, answer);
}
