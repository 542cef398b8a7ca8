using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;
using Cluster.Grains.Placement;

namespace Cluster.Grains.Models;

/// <summary>The replicas of this silo, from when they are loaded until they begin to end. Safe from any thread.</summary>
internal sealed class LocalReplicas(SiloDraining draining, ILocalSiloDetails local) : ILocalReplicas
{
    private readonly ConcurrentDictionary<ModelReplicaId, LocalReplica> _replicas = new();

    /// <summary>Whether this silo is drained, as it leaves or an operator asks: it takes no replica.</summary>
    public bool IsDraining => draining.HasBegun;

    public IEnumerable<LocalReplica> All => _replicas.Values;

    /// <inheritdoc/>
    public bool IsHere(SiloAddress silo) => silo == local.SiloAddress;

    /// <inheritdoc/>
    public bool TryGet(ModelReplicaId id, [NotNullWhen(true)] out IReplica? replica)
    {
        replica = _replicas.GetValueOrDefault(id)?.Replica;
        return replica is not null;
    }

    public void Add(LocalReplica replica) => _replicas[replica.Id] = replica;

    /// <summary>A replica ends. A second call does nothing.</summary>
    public void Remove(ModelReplicaId id) => _replicas.TryRemove(id, out _);

    /// <summary>Models that have replicas here.</summary>
    public IReadOnlyCollection<string> Models() => [.. _replicas.Keys.Select(static id => id.Model).Distinct(StringComparer.Ordinal)];
}

/// <summary>A loaded replica as its silo sees it.</summary>
/// <param name="Replica">To call the replica. Null in tests that only look at its activity.</param>
/// <param name="Gauge">Its figures for people. Null in tests that only look at its activity.</param>
internal sealed record LocalReplica(ModelReplicaId Id, ReplicaActivity Activity, IReplica? Replica = null, ReplicaGauge? Gauge = null);
