using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Registry;
using Cluster.Grains.Replication;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry.Replicas;

/// <summary>The aliases of a cluster of several processes.</summary>
internal sealed class ReplicatedAliases(IReplicatedMap map, ILogger<ReplicatedAliases> logger) : IAliases
{
    private readonly JsonReplica<AliasState> _aliases = new(map, logger);

    public event Action<string>? Changed
    {
        add => _aliases.Map.Changed += value;
        remove => _aliases.Map.Changed -= value;
    }

    public IEnumerable<AliasState> All => _aliases.All;

    public bool TryGet(string alias, [NotNullWhen(true)] out AliasState? state) => _aliases.TryGet(alias, out state);

    public void Publish(AliasState state) => _aliases.Publish(state.Alias, state);

    public void Remove(string alias) => _aliases.Remove(alias);
}
