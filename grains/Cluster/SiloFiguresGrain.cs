using Cluster.Contracts.Nodes;
using Cluster.Grains.Memory;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="ISiloFiguresGrain"/>
[Reentrant, SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
internal sealed class SiloFiguresGrain(LocalReplicas replicas) : Grain, ISiloFiguresGrain
{
    /// <inheritdoc/>
    public ValueTask<SiloFigures> ReadAsync() => ValueTask.FromResult(new SiloFigures(
        [.. replicas.All.Select(static replica => replica.Gauge?.Read()).OfType<ReplicaFigures>()], OnnxAllocator.Pool.InUse, OnnxAllocator.Pool.Limit));
}
