using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Cluster.Contracts.Registry;
using Cluster.Gateway.Routing;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Traffic;

/// <summary>
/// Tells aliases that a candidate's share is to end. The gateway that judged sends the candidate nothing more at once. Where the alias cannot be asked, as while Redis is
/// away, it goes on asking until that is done or the rule is another.
/// </summary>
/// <param name="gateway">This gateway's name.</param>
internal sealed class Rollbacks(IGrainFactory grains, ControlCalls control, string gateway, TimeProvider time, ILogger<Rollbacks> logger) : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly CauseLimiter _errors = new(time);

    /// <summary>Begins to tell the alias of a judgement. Returns at once.</summary>
    public void Begin(LiveRule rule, TrafficJudgement judgement)
    {
        Log.Judged(logger, rule.Alias, rule.Rule.Candidate, judgement.Reason);
        _ = TellAsync(rule, judgement);
    }

    /// <summary>Ends the share of the rule that an alias has now.</summary>
    /// <exception cref="ServingException">NOT_FOUND: no such alias. FAILED_PRECONDITION: it has no rule. UNAVAILABLE: no silo can take the call.</exception>
    public async ValueTask<AliasState> RunAsync(string alias, LiveRule? rule, CancellationToken cancellationToken)
    {
        var grain = grains.GetAlias(alias);
        var state = await control.RunAsync(grain.GetAsync, cancellationToken).ConfigureAwait(false) ?? throw new ServingException(NotFound(alias));
        if (state.Traffic is not { } traffic)
        {
            throw new ServingException(new Failure(StatusCode.FailedPrecondition, $"alias '{alias}' has no traffic rule, expected one that can be rolled back"));
        }

        var verdict = new TrafficVerdict(traffic.Revision, RollbackCause.Operator, "an operator asked for it", gateway);
        var after = await control.RunAsync(() => grain.RollBackAsync(verdict), cancellationToken).ConfigureAwait(false) ?? throw new ServingException(NotFound(alias));
        Count(rule, verdict, after);
        return after;
    }

    public void Dispose()
    {
        if (!_stop.IsCancellationRequested)
        {
            _stop.Cancel();
            _stop.Dispose();
        }
    }

    private static Failure NotFound(string alias) => Failure.NotFound($"alias '{alias}' is not found");

    private static void Count(LiveRule? rule, TrafficVerdict verdict, AliasState? after)
    {
        if (rule?.Revision == verdict.Revision && after?.Traffic?.RolledBack is { } rollback && (rollback.By, rollback.Reason) == (verdict.By, verdict.Reason))
        {
            rule.RolledBack(verdict.Cause);
        }
    }

    private async Task TellAsync(LiveRule rule, TrafficJudgement judgement)
    {
        // Not on the way of the request that was the last straw.
        await Task.Yield();
        var verdict = new TrafficVerdict(rule.Revision, judgement.Cause, judgement.Reason, gateway);
        var stop = _stop.Token;
        while (!rule.IsOver && !stop.IsCancellationRequested)
        {
            try
            {
                Count(rule, verdict, await control.RunAsync(() => grains.GetAlias(rule.Alias).RollBackAsync(verdict), stop).ConfigureAwait(false));
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The edge of the loop, of any kind: a bad candidate must not stay since one call went wrong.
                if (_errors.TryPass(rule.Alias, out var heldBack))
                {
                    Log.NotRolledBack(logger, exception, rule.Alias, heldBack);
                }

                await Task.Delay(RetryAfter, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

/// <summary>What clients may do with the traffic rules of aliases at run time.</summary>
internal sealed class ManagedTraffic(IGrainFactory grains, IAliases aliases, TrafficTable table, Rollbacks rollbacks, ControlCalls control)
{
    /// <summary>Every alias that this process knows, in the order of their names.</summary>
    public IReadOnlyList<AliasState> Aliases => [.. aliases.All.OrderBy(static state => state.Alias, StringComparer.Ordinal)];

    /// <param name="rule">Null to end the one that there is.</param>
    /// <param name="wait">Whether to wait until the candidate is loaded, or cannot be.</param>
    /// <exception cref="ServingException">As <see cref="IAliasGrain.SetTrafficAsync"/>. UNAVAILABLE: no silo can take the call.</exception>
    public async ValueTask<AliasState> SetAsync(string alias, TrafficRule? rule, bool wait, CancellationToken cancellationToken)
    {
        var grain = grains.GetAlias(alias);
        var state = await control.RunAsync(() => grain.SetTrafficAsync(rule), cancellationToken).ConfigureAwait(false);
        if (rule is null || !wait)
        {
            return state;
        }

        return await control.RunAsync(() => grain.WaitAsync(rule.Candidate, cancellationToken), cancellationToken).ConfigureAwait(false)
            ?? throw new ServingException(Failure.NotFound($"alias '{alias}' is not found"));
    }

    /// <exception cref="ServingException">As <see cref="Rollbacks.RunAsync"/>.</exception>
    public ValueTask<AliasState> RollBackAsync(string alias, CancellationToken cancellationToken) => rollbacks.RunAsync(alias, table.Find(alias), cancellationToken);
}

/// <summary>Event ids 3280 to 3299.</summary>
internal static partial class Log
{
    [LoggerMessage(3280, LogLevel.Warning, "Ended the share of candidate {Candidate} of alias {Alias} here, and asked the alias to end it: {Reason}")]
    public static partial void Judged(ILogger logger, string alias, string candidate, string reason);

    [LoggerMessage(3281, LogLevel.Warning, "Alias {Alias} could not be asked to end its candidate's share, and is asked again; and {HeldBack} times so since the last line")]
    public static partial void NotRolledBack(ILogger logger, Exception exception, string alias, long heldBack);

    [LoggerMessage(3282, LogLevel.Error, "A copy of a request for alias {Alias} failed; and {HeldBack} times so since the last line")]
    public static partial void MirrorFailed(ILogger logger, Exception exception, string alias, long heldBack);
}
