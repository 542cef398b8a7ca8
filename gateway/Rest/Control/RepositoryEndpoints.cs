using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest.Control;

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
        var request = new RepositoryModelLoadRequest { ModelName = ModelPath.Of(context).Model };
        using (var body = await ReadBodyAsync(context))
        {
            RepositoryRequestReader.ReadParameters(body.Span, request.Parameters);
        }

        await api.LoadModelAsync(request, Caller.Of(context), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, new DoneAnswer(request.ModelName, Load: true));
    }

    public async Task UnloadAsync(HttpContext context)
    {
        var request = new RepositoryModelUnloadRequest { ModelName = ModelPath.Of(context).Model };
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
        var model = ModelPath.Of(context).Model;
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

/// <summary>A row of the repository extension's index; what is empty is left out, so that a model never loaded has only its name.</summary>
internal sealed record IndexRow(string Name, string? Version, string? State, string? Reason)
{
    public static IEnumerable<IndexRow> Of(RepositoryIndexResponse index) =>
        index.Models.Select(row => new IndexRow(row.Name, NullIfEmpty(row.Version), NullIfEmpty(row.State), NullIfEmpty(row.Reason)));

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}

/// <summary>KServe's list of models.</summary>
internal sealed record NamesAnswer(IEnumerable<string> Models)
{
    public static NamesAnswer Of(RepositoryIndexResponse index) => new(index.Models.Select(row => row.Name).Distinct(StringComparer.Ordinal));
}

/// <summary>A model in OVMS's config status.</summary>
internal sealed record ConfigStatus(IEnumerable<VersionStatus> ModelVersionStatus)
{
    /// <summary>By the models' names.</summary>
    public static Dictionary<string, ConfigStatus> Of(RepositoryIndexResponse index) => index.Models
        .GroupBy(row => row.Name, StringComparer.Ordinal)
        .ToDictionary(model => model.Key, model => new ConfigStatus(model.Where(row => row.Version.Length > 0).Select(VersionStatus.Of)));
}

internal sealed record VersionStatus(string Version, string State, ErrorStatus Status)
{
    public static VersionStatus Of(RepositoryIndexResponse.Types.ModelIndex row)
    {
        var state = row.State switch
        {
            "READY" => "AVAILABLE",
            "LOADING" or "UNLOADING" => row.State,
            _ => "END",
        };
        var failed = state == "END" && !ServingReasons.IsIntended(row.Reason);
        return new VersionStatus(row.Version, state, new ErrorStatus(failed ? "UNKNOWN" : "OK", row.Reason.Length > 0 ? row.Reason : "OK"));
    }
}

internal sealed record ErrorStatus(string ErrorCode, string ErrorMessage);

/// <summary>That a model was loaded, or unloaded.</summary>
internal sealed record DoneAnswer(string Name, bool? Load = null, bool? Unload = null);

/// <summary>What a model's replica bounds were set to; a bound that is left out is as the model's settings say.</summary>
internal sealed record ScaleAnswer(string Name, int? MinCopies, int? MaxCopies);
