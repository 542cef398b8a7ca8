using Cluster.Contracts.Registry;
using Cluster.Gateway.Security;

namespace Cluster.Gateway.Rest;

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
