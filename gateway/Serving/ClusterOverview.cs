using Cluster.Contracts.Nodes;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Serving;

/// <summary>What an operator may want to see of the cluster at once.</summary>
/// <param name="Cluster">The silos.</param>
/// <param name="Models">Every model that this gateway knows, in the order of their names.</param>
/// <param name="Time">When this was put together.</param>
/// <param name="StoreReachable">Whether what the cluster knows in common can be asked for.</param>
internal sealed record ClusterOverview(ClusterDescription Cluster, IReadOnlyList<ModelServingState> Models, DateTimeOffset Time, bool StoreReachable = true)
{
    /// <summary>Every alias that this gateway knows, in the order of their names.</summary>
    public IReadOnlyList<AliasState> Aliases { get; init; } = [];
}
