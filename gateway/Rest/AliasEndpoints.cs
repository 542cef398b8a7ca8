using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest;

/// <summary>Aliases as this gateway knows them, and their traffic rules. Aliases themselves are set by ModelMesh's API.</summary>
internal sealed class AliasEndpoints(IServingApi api, IOptions<RestOptions> options, PayloadRoom room)
{
    /// <summary>Far above what a rule takes.</summary>
    private const long MaxBody = 64 << 10;

    /// <summary>Those that the caller may see.</summary>
    public Task ListAsync(HttpContext context)
    {
        var caller = Caller.Of(context);
        return JsonAnswer.WriteAsync(context, new AliasesAnswer(AliasRow.Of(api.Aliases, caller)));
    }

    public Task GetTrafficAsync(HttpContext context)
    {
        var alias = ModelRoute.Of(context).Model;
        var caller = Caller.Of(context);
        var state = api.Aliases.FirstOrDefault(state => state.Alias == alias);
        caller.Note(alias);
        if (!caller.MaySee(alias, state?.Active ?? ""))
        {
            throw new ServingException(caller.Refuse(Permission.Read, alias));
        }

        return JsonAnswer.WriteAsync(context, AliasRow.Of(state ?? throw new ServingException(Failure.NotFound($"alias '{alias}' is not found")), caller));
    }

    /// <summary>Those may set a rule that may set the alias to the candidate. With <c>?wait=true</c> the answer comes once that is loaded, or cannot be.</summary>
    public async Task SetTrafficAsync(HttpContext context)
    {
        var alias = Changeable(context);
        TrafficRule rule;
        await using (var body = BodyReader.Open(context, Math.Min(options.Value.MaxRequestBytes, MaxBody), room))
        {
            using var content = await body.ReadUpToAsync(long.MaxValue, context.RequestAborted);
            rule = TrafficRuleReader.Read(content.Memory);
        }

        Caller.Of(context).Demand(Permission.Manage, rule.Candidate);
        await AnswerAsync(context, await api.SetTrafficAsync(alias, rule, context.Request.Query["wait"] == "true", context.RequestAborted));
    }

    public async Task ClearTrafficAsync(HttpContext context) =>
        await AnswerAsync(context, await api.SetTrafficAsync(Changeable(context), rule: null, wait: false, context.RequestAborted));

    public async Task RollBackAsync(HttpContext context) => await AnswerAsync(context, await api.RollBackAsync(Changeable(context), context.RequestAborted));

    private static string Changeable(HttpContext context)
    {
        var alias = ModelRoute.Of(context).Model;
        Caller.Of(context).Demand(Permission.Manage, alias);
        return alias;
    }

    private static Task AnswerAsync(HttpContext context, AliasState state) => JsonAnswer.WriteAsync(context, AliasRow.Of(state, Caller.Of(context)));
}
