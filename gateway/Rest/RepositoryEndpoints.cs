using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest;

/// <summary>The model_repository extension, and OVMS's config API on top of the same calls.</summary>
internal sealed class RepositoryEndpoints(IServingApi api, IOptions<RestOptions> options)
{
    /// <summary>The most bytes of a body here, far above what a client sends: read, its parameters take many times their length in memory.</summary>
    private const long MaxBody = 4 << 20;

    public async Task GetIndexAsync(HttpContext context)
    {
        using var body = await ReadBodyAsync(context);
        var readyOnly = RepositoryRequestReader.ReadReady(body.Span);
        await JsonAnswer.WriteAsync(context, api.GetRepositoryIndex(readyOnly), RepositoryIndexJson.Write);
    }

    public async Task LoadAsync(HttpContext context)
    {
        var request = new RepositoryModelLoadRequest { ModelName = ModelRoute.Of(context).Model };
        using (var body = await ReadBodyAsync(context))
        {
            RepositoryRequestReader.ReadParameters(body.Span, request.Parameters);
        }

        await api.LoadModelAsync(request, context.RequestAborted);
        await WriteDoneAsync(context, request.ModelName, "load");
    }

    public async Task UnloadAsync(HttpContext context)
    {
        var request = new RepositoryModelUnloadRequest { ModelName = ModelRoute.Of(context).Model };
        using (var body = await ReadBodyAsync(context))
        {
            RepositoryRequestReader.ReadParameters(body.Span, request.Parameters);
        }

        await api.UnloadModelAsync(request, context.RequestAborted);
        await WriteDoneAsync(context, request.ModelName, "unload");
    }

    public Task GetConfigStatusAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, api.GetRepositoryIndex(readyOnly: false), RepositoryIndexJson.WriteConfigStatus);

    public async Task ReloadAsync(HttpContext context)
    {
        var problems = await api.ReloadRepositoryAsync(context.RequestAborted);
        if (problems.Count > 0)
        {
            throw new ServingException(new Failure(
                StatusCode.FailedPrecondition, $"the repository was read again and has problems: {string.Join("; ", problems)}"));
        }

        await GetConfigStatusAsync(context);
    }

    private async ValueTask<PayloadBuffer> ReadBodyAsync(HttpContext context)
    {
        await using var body = BodyReader.Open(context, Math.Min(options.Value.MaxRequestBytes, MaxBody));
        return await body.ReadUpToAsync(long.MaxValue, context.RequestAborted);
    }

    private static Task WriteDoneAsync(HttpContext context, string model, string verb) =>
        JsonAnswer.WriteAsync(context, (model, verb), static (json, done) =>
        {
            json.WriteStartObject();
            json.WriteString("name"u8, done.model);
            json.WriteBoolean(done.verb, true);
            json.WriteEndObject();
        });
}
