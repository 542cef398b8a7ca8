using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest;

/// <summary>The model_repository extension, and OVMS's config API on top of the same calls.</summary>
internal sealed class RepositoryEndpoints(IServingApi api, IOptions<RestOptions> options, PayloadRoom room)
{
    /// <summary>The most bytes of a body here, far above what a client sends: read, its parameters take many times their length in memory.</summary>
    private const long MaxBody = 4 << 20;

    public async Task GetIndexAsync(HttpContext context)
    {
        using var body = await ReadBodyAsync(context);
        var readyOnly = RepositoryRequestReader.ReadReady(body.Span);
        await JsonAnswer.WriteAsync(context, IndexRow.Of(api.GetRepositoryIndex(readyOnly, Caller.Of(context))));
    }

    public async Task LoadAsync(HttpContext context)
    {
        var request = new RepositoryModelLoadRequest { ModelName = ModelRoute.Of(context).Model };
        using (var body = await ReadBodyAsync(context))
        {
            RepositoryRequestReader.ReadParameters(body.Span, request.Parameters);
        }

        await api.LoadModelAsync(request, Caller.Of(context), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, new DoneAnswer(request.ModelName, Load: true));
    }

    public async Task UnloadAsync(HttpContext context)
    {
        var request = new RepositoryModelUnloadRequest { ModelName = ModelRoute.Of(context).Model };
        using (var body = await ReadBodyAsync(context))
        {
            RepositoryRequestReader.ReadParameters(body.Span, request.Parameters);
        }

        await api.UnloadModelAsync(request, Caller.Of(context), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, new DoneAnswer(request.ModelName, Unload: true));
    }

    /// <summary>A body that is empty, or names no bound, leaves the bounds to the model's settings.</summary>
    public async Task ScaleAsync(HttpContext context)
    {
        var model = ModelRoute.Of(context).Model;
        ReplicaBounds? bounds;
        using (var body = await ReadBodyAsync(context))
        {
            bounds = ReplicaBoundsReader.Read(body.Memory);
        }

        await api.ScaleModelAsync(model, bounds, Caller.Of(context), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, new ScaleAnswer(model, bounds?.Least, bounds?.Most));
    }

    public Task GetConfigStatusAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, ConfigStatus.Of(api.GetRepositoryIndex(readyOnly: false, Caller.Of(context))));

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
        await using var body = BodyReader.Open(context, Math.Min(options.Value.MaxRequestBytes, MaxBody), room);
        return await body.ReadUpToAsync(long.MaxValue, context.RequestAborted);
    }
}
