using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Traffic;

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
