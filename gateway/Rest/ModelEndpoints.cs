using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary>What clients ask about the server and its models.</summary>
internal sealed class ModelEndpoints(IServingApi api)
{
    public Task GetServerAsync(HttpContext context) => JsonAnswer.WriteAsync(context, api.GetServerMetadata(), MetadataJson.Write);

    public static Task GetLiveAsync(HttpContext context) => JsonAnswer.WriteAsync(context, true, static (json, live) =>
    {
        json.WriteStartObject();
        json.WriteBoolean("live"u8, live);
        json.WriteEndObject();
    });

    public Task GetReadyAsync(HttpContext context) => JsonAnswer.WriteAsync(context, StatusOf(api.IsReady), api.IsReady, static (json, ready) =>
    {
        json.WriteStartObject();
        json.WriteBoolean("ready"u8, ready);
        json.WriteEndObject();
    });

    public Task GetModelReadyAsync(HttpContext context)
    {
        var route = ModelRoute.Of(context, api);
        var ready = api.IsModelReady(route.Model, route.Version, Protocol.Rest);
        return JsonAnswer.WriteAsync(context, StatusOf(ready), (route.Model, ready), static (json, model) =>
        {
            json.WriteStartObject();
            json.WriteString("name"u8, model.Model);
            json.WriteBoolean("ready"u8, model.ready);
            json.WriteEndObject();
        });
    }

    public Task GetNamesAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, api.GetRepositoryIndex(readyOnly: false), RepositoryIndexJson.WriteNames);

    public async Task GetModelAsync(HttpContext context)
    {
        var route = ModelRoute.Of(context, api);
        var model = await api.GetModelMetadataAsync(route.Model, route.Version, Protocol.Rest, context.RequestAborted);
        await JsonAnswer.WriteAsync(context, model, MetadataJson.Write);
    }

    public async Task GetConfigAsync(HttpContext context)
    {
        var route = ModelRoute.Of(context, api);
        var config = await api.GetModelConfigAsync(route.Model, route.Version, context.RequestAborted);
        await JsonAnswer.WriteAsync(context, config, ModelConfigJson.Write);
    }

    /// <summary>Of one model, or of all where the path names none.</summary>
    public async Task GetStatisticsAsync(HttpContext context)
    {
        var route = ModelRoute.Of(context, api);
        var statistics = await api.GetModelStatisticsAsync(route.Model, route.Version, context.RequestAborted);
        await JsonAnswer.WriteAsync(context, statistics, StatisticsJson.Write);
    }

    private static int StatusOf(bool ready) => ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
}
