using System.Collections.Immutable;
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

/// <summary>What one silo can tell of itself now; the key is the silo's address in its parsable form, and the grain is there.</summary>
[Alias("silo-figures-grain")]
internal interface ISiloFiguresGrain : IGrainWithStringKey
{
    /// <summary>Reads what is counted; takes no lock that requests take for long.</summary>
    [AlwaysInterleave, Alias("read")]
    ValueTask<SiloFigures> ReadAsync();
}

/// <summary>What a silo tells of itself.</summary>
/// <param name="Replicas">Those that are loaded.</param>
/// <param name="TensorMemory">Bytes that sessions and runs take now.</param>
/// <param name="TensorMemoryLimit">Bytes that they may take together.</param>
[GenerateSerializer, Immutable, Alias("silo-figures")]
internal sealed record SiloFigures(
    [property: Id(0)] ImmutableArray<ReplicaFigures> Replicas, [property: Id(1)] long TensorMemory, [property: Id(2)] long TensorMemoryLimit);
