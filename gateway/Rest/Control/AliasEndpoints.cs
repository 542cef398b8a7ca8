using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest.Control;

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
        var alias = ModelPath.Of(context).Model;
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
        var alias = ModelPath.Of(context).Model;
        Caller.Of(context).Demand(Permission.Manage, alias);
        return alias;
    }

    private static Task AnswerAsync(HttpContext context, AliasState state) => JsonAnswer.WriteAsync(context, AliasRow.Of(state, Caller.Of(context)));
}

internal sealed record AliasesAnswer(IEnumerable<AliasRow> Aliases);

/// <summary>An alias as JSON. Names of models that the caller may not see are left out.</summary>
/// <param name="Model">That answers.</param>
/// <param name="Target">That will, where it is another one.</param>
/// <param name="Failure">Why the target does not load.</param>
internal sealed record AliasRow(string Alias, string? Model, string? Target, string? Owner, string? Failure, TrafficRow? Traffic)
{
    public static IEnumerable<AliasRow> Of(IEnumerable<AliasState> aliases, Caller caller) =>
        aliases.Where(state => caller.MaySee(state.Alias, state.Active)).Select(state => Of(state, caller));

    public static AliasRow Of(AliasState state, Caller caller) => new(
        state.Alias,
        Visible(state.Active, caller),
        state.InTransition ? Visible(state.Target, caller) : null,
        state.Owner,
        Visible(state.Target, caller) is null ? null : state.Failure,
        state.Traffic is { } traffic ? TrafficRow.Of(traffic, Visible(traffic.Rule.Candidate, caller)) : null);

    private static string? Visible(string model, Caller caller) => caller.May(Permission.Read, model) ? model : null;
}

/// <param name="State">loading, load_failed, active or rolled_back.</param>
/// <param name="Failure">Why the candidate does not load.</param>
internal sealed record TrafficRow(string State, long Revision, TrafficRuleRow Rule, string? Failure, RollbackRow? RolledBack)
{
    /// <param name="candidate">Null where the caller may not see it.</param>
    public static TrafficRow Of(TrafficState traffic, string? candidate) => new(
        traffic switch
        {
            { RolledBack: not null } => "rolled_back",
            { Loaded: true } => "active",
            { Failure: not null } => "load_failed",
            _ => "loading",
        },
        traffic.Revision,
        TrafficRuleRow.Of(traffic.Rule, candidate),
        candidate is null ? null : traffic.Failure,
        traffic.RolledBack is { } rollback ? new RollbackRow(rollback.Cause.ToString().ToLowerInvariant(), rollback.Reason, rollback.By, rollback.Time) : null);
}

/// <param name="By">The gateway whose figures ended it, or that was asked to.</param>
internal sealed record RollbackRow(string Cause, string Reason, string By, DateTimeOffset Time);

/// <summary>A rule as <see cref="TrafficRuleReader"/> reads it, with each default written out.</summary>
internal sealed record TrafficRuleRow(
    string? Candidate,
    long? CandidateVersion,
    long? ActiveVersion,
    double Percent,
    bool Shadow,
    string? StickyHeader,
    bool StickyId,
    double AbsoluteTolerance,
    double RelativeTolerance,
    double? MaxErrorRate,
    double? MaxP99Ratio,
    double? MaxMeanRatio,
    double? MaxDrift,
    int MinRequests,
    double WindowSeconds)
{
    public static TrafficRuleRow Of(TrafficRule rule, string? candidate) => new(
        candidate,
        rule.CandidateVersion,
        rule.ActiveVersion,
        rule.Percent,
        rule.Shadow,
        rule.StickyHeader,
        rule.StickyId,
        rule.AbsoluteTolerance,
        rule.RelativeTolerance,
        rule.Limits.ErrorRate,
        rule.Limits.P99Ratio,
        rule.Limits.MeanRatio,
        rule.Limits.Drift,
        rule.Limits.MinRequests,
        rule.Limits.Window.TotalSeconds);
}
