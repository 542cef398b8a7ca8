using System.Collections.Immutable;
using Cluster.Contracts.Registry;

namespace Cluster.Grains.Registry;

/// <summary>What one shard of the registry keeps.</summary>
[GenerateSerializer, Alias("registry-state")]
public sealed record RegistryState
{
    /// <summary>By model.</summary>
    [Id(0)]
    public ImmutableDictionary<string, RegistryEntry> Entries { get; init; } = ImmutableDictionary<string, RegistryEntry>.Empty;

    /// <summary>Models that are registered no more, and may not have been told yet: the silo that tells them may be lost meanwhile.</summary>
    [Id(1)]
    public ImmutableHashSet<string> Leaving { get; init; } = [];
}
